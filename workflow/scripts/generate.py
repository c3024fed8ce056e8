"""Generate: a file of requests and a checkpoint become a file of generations.

Other work for the same model that is ready is done with the same engine start; its own jobs then find
it done.
"""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import GenerationSettings
from plumbline.generation.store import Store, answers_folder
from plumbline.jobs import program
from plumbline.models import checkpoints
from plumbline.models.ahead import WorkList
from plumbline.models.suitability import Needs
from plumbline.storage.files import write_json, write_rows
from plumbline.storage.lists import ListedWork


def main(
    *,
    root: Annotated[Path, "folder of the model's results"],
    works: Annotated[dict[str, ListedWork], "all by name"],
    work: Annotated[str, "the one that is asked for"],
    settings: GenerationSettings,
    needs: Needs | None = None,
    device: str,
    threads: int,
    lanes: Annotated[int, "how many jobs that run a model can run at once"] = 1,
    code: Annotated[str, "digest of the code, by which answers are kept"] = "",
    shard: Annotated[str, "i/n: serve only this part, write --marker"] = "0/1",
    marker_path: Path | None = None,
    generations_path: Path | None = None,
) -> None:
    all_works = WorkList(
        root,
        works,
        store=lambda checkpoint: answers_folder(root, checkpoint, settings),
        settings=[code],
        output=lambda work: f"{work}/generations.jsonl",
    )
    number, shards = map(int, shard.split("/"))
    if generations_path and all_works.take(work, generations_path):
        program.log.info(f"{work} was answered by the engine of another job")
        return

    from filelock import FileLock
    from plumbline.generation.engine import Engine, check_needs
    from plumbline.generation.ledger import Served
    from plumbline.generation.serve import Server, Share
    from plumbline.generation.start import Engines

    check_needs(root.name, all_works.checkpoint(work), needs or Needs())

    def serve(work: str, engines: Engines, patience: float) -> Served:
        """Serve one piece of work; Timeout if another job is using the same checkpoint."""
        checkpoint, store = all_works.checkpoint(work), all_works.store(work)
        store.mkdir(parents=True, exist_ok=True)
        tokenizer = checkpoints.load_tokenizer(checkpoint)
        mine = Share(all_works.input(work), number, shards)

        def start() -> Engine:
            engine = engines.of(checkpoint, tokenizer)
            all_works.check_unchanged(work)
            return engine

        server = Server(
            Store(store),
            tokenizer,
            start,
            max_model_len=settings.max_model_len,
            match=all_works[work].setting,
        )
        # Two jobs on one checkpoint would both generate what both lack.
        with FileLock(store / f"serve-{number}-of-{shards}.lock", timeout=patience):
            return server.serve(mine)

    work_folder = root / "store" / "merged"
    with Engines(settings, device, threads, work_folder) as engines:
        generations = serve(work, engines, patience=-1)
        if marker_path:
            write_json(marker_path, {"shard": shard, "generations": len(generations)})
        if generations_path:
            write_rows(generations_path, generations)
        # Other work that is ready is cheaper now that an engine's packages are loaded. But a training
        # that waits for this job's end could run beside the rest.
        if engines.started and shards == 1:
            all_works.make_ahead(
                work,
                lambda work, finished: write_rows(finished, serve(work, engines, patience=0)),
                elsewhere=lanes == 1 or not all_works[work].leads,
            )


if __name__ == "__main__":
    program.cli(main)
