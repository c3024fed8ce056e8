"""Generate: a file of requests and a checkpoint become a file of generations.

Work of the same model that lies ready is served by the same engine start; its own jobs then find
it done.
"""

import argparse
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

from plumbline import checkpoints, lists, program
from plumbline.config.engines import Generation as Settings
from plumbline.files import InputError, read_unique_rows, write_json, write_rows
from plumbline.generation.store import Store, finished_file, store_folder
from plumbline.records import Generation, Request
from plumbline.suitability import Needs


class Work(NamedTuple):
    """A piece of work; paths are below the model's folder."""

    checkpoint: str
    marker: str  # the file that says that the checkpoint is whole
    requests: str
    match: str = ""  # when an answer is accepted, where requests name accepted ones


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

    works = lists.read(args.works, dict[str, Work])
    number, shards = map(int, args.shard.split("/"))

    @cache
    def store_of(checkpoint: str) -> Path:
        return store_folder(args.root, args.root / checkpoint, settings)

    def finished(work: str) -> Path:
        its = works[work]
        store, requests = store_of(its.checkpoint), args.root / its.requests
        return finished_file(store, requests, its.match, args.code)

    if args.generations and finished(args.work).exists():
        args.generations.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(finished(args.work), args.generations)
        args.generations.touch()  # made for the inputs as they are now
        program.log.info(f"{args.work} was answered by the engine of another job")
        return

    from filelock import FileLock, Timeout
    from plumbline.generation.engine import Engine, check_needs
    from plumbline.generation.serve import Server, shard_of
    from plumbline.generation.start import Engines

    needs = Needs.model_validate_json(args.needs)
    check_needs(args.root.name, args.root / works[args.work].checkpoint, needs)

    def serve(work: str, engines: Engines, patience: float) -> list[Generation]:
        """Serve one piece of work; Timeout if another job is at the same checkpoint."""
        its = works[work]
        checkpoint, store = args.root / its.checkpoint, store_of(its.checkpoint)
        store.mkdir(parents=True, exist_ok=True)
        tokenizer = checkpoints.load_tokenizer(checkpoint)
        rows = read_unique_rows(args.root / its.requests, Request, empty=True)
        mine = [row for row in rows if shards == 1 or shard_of(row, shards) == number]

        def start() -> Engine:
            engine = engines.of(checkpoint, tokenizer)
            if store_folder(args.root, checkpoint, settings) != store:
                raise InputError(f"{checkpoint}: was replaced by another job; run this one again.")
            return engine

        server = Server(
            Store(store),
            tokenizer,
            start,
            save_every=settings.save_every,
            max_model_len=settings.max_model_len,
            match=its.match,
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
        # What else lies ready is cheaper now that an engine's packages are loaded: first the works
        # of its checkpoint, then those of each other one together.
        here = works[args.work].checkpoint
        order = sorted(
            works, key=lambda work: (works[work].checkpoint != here, works[work].checkpoint)
        )
        for other in order if engines.started else ():
            its = works[other]
            ready = (args.root / its.marker).exists() and (args.root / its.requests).exists()
            done = (args.root / other / "generations.jsonl").exists()
            if ready and not done and other != args.work and shards == 1:
                try:
                    write_rows(finished(other), serve(other, engines, patience=0))
                except (Timeout, InputError) as error:
                    program.log.info(f"{other} is left to its own job: {error}")


if __name__ == "__main__":
    program.run(main, "generate")
