"""HellaSwag's rows as the harness prepares them: its own function."""

from lm_eval.tasks.hellaswag.utils import process_docs

__all__ = ["process_docs"]
