"""Generate: a file of requests and a checkpoint become a file of generations.

Work of the same model that lies ready is served by the same engine start; its own jobs then find
it done.
"""

import argparse
from pathlib import Path

from plumbline import checkpoints, lists, program
from plumbline.ahead import WorkList
from plumbline.config.engines import Generation as Settings
from plumbline.files import read_unique_rows, write_json, write_rows
from plumbline.generation.store import Store, answers_folder
from plumbline.lists import ListedWork
from plumbline.records import Generation, Request
from plumbline.suitability import Needs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the model's results")
    parser.add_argument("--works", type=Path, required=True, help="list of all by name")
    parser.add_argument("--work", required=True, help="the one that is asked for")
    parser.add_argument("--settings", required=True, help="JSON of the generation section")
    parser.add_argument("--needs", default="{}", help="JSON of what is asked of the model")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", default="", help="digest of the code; answers lie ready for it")
    parser.add_argument("--shard", default="0/1", help="i/n: serve only this part, write --marker")
    parser.add_argument("--marker", type=Path)
    parser.add_argument("--generations", type=Path)
    args = parser.parse_args()
    settings = Settings.model_validate_json(args.settings)

    works = WorkList(
        args.root,
        lists.read(args.works, dict[str, ListedWork]),
        store=lambda checkpoint: answers_folder(args.root, checkpoint, settings),
        settings=[args.code],
        output=lambda work: f"{work}/generations.jsonl",
    )
    number, shards = map(int, args.shard.split("/"))
    if args.generations and works.take(args.work, args.generations):
        program.log.info(f"{args.work} was answered by the engine of another job")
        return

    from filelock import FileLock
    from plumbline.generation.engine import Engine, check_needs
    from plumbline.generation.serve import Server, shard_of
    from plumbline.generation.start import Engines

    needs = Needs.model_validate_json(args.needs)
    check_needs(args.root.name, works.checkpoint(args.work), needs)

    def serve(work: str, engines: Engines, patience: float) -> list[Generation]:
        """Serve one piece of work; Timeout if another job is at the same checkpoint."""
        checkpoint, store = works.checkpoint(work), works.store(work)
        store.mkdir(parents=True, exist_ok=True)
        tokenizer = checkpoints.load_tokenizer(checkpoint)
        rows = read_unique_rows(works.input(work), Request, empty=True)
        mine = [row for row in rows if shards == 1 or shard_of(row, shards) == number]

        def start() -> Engine:
            engine = engines.of(checkpoint, tokenizer)
            works.check_unchanged(work)
            return engine

        server = Server(
            Store(store),
            tokenizer,
            start,
            save_every=settings.save_every,
            max_model_len=settings.max_model_len,
            match=works[work].setting,
        )
        # Two jobs on one checkpoint would both generate what both lack.
        with FileLock(store / f"serve-{number}-of-{shards}.lock", timeout=patience):
            return server.serve(mine)

    work_folder = args.root / "store" / "merged"
    with Engines(settings, args.device, args.threads, work_folder) as engines:
        generations = serve(args.work, engines, patience=-1)
        if args.marker:
            write_json(args.marker, {"shard": args.shard, "generations": len(generations)})
        if args.generations:
            write_rows(args.generations, generations)
        # What else lies ready is cheaper now that an engine's packages are loaded.
        if engines.started and shards == 1:
            works.make_ahead(
                args.work,
                lambda work, finished: write_rows(finished, serve(work, engines, patience=0)),
            )


if __name__ == "__main__":
    program.run(main, "generate")
