"""HellaSwag's rows, prepared by the harness's own function."""

from lm_eval.tasks.hellaswag.utils import process_docs

__all__ = ["process_docs"]
