"""Generate: a file of requests and a checkpoint become a file of generations.

Request files of the same checkpoint that `--ready` lists and that exist are served by the same
engine start; their own jobs then find the work done.
"""

import argparse
import json
from pathlib import Path

from plumbline import program
from plumbline.config import Generation as Settings
from plumbline.files import read_unique_rows, write_json, write_rows
from plumbline.records import Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the model's results")
    parser.add_argument("--checkpoint", required=True, help="its folder below the root")
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--ready", default="{}", help="JSON: request files by checkpoint folder")
    parser.add_argument("--settings", required=True, help="JSON of the generation section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--match", default="squad")
    parser.add_argument("--shard", default="0/1", help="i/n: serve only this part, write --marker")
    parser.add_argument("--marker", type=Path)
    parser.add_argument("--generations", type=Path)
    args = parser.parse_args()
    settings = Settings.model_validate_json(args.settings)

    from filelock import FileLock

    from plumbline import checkpoints
    from plumbline.generation.serve import Server, shard_of
    from plumbline.generation.start import Engines
    from plumbline.generation.store import Store

    number, shards = map(int, args.shard.split("/"))
    checkpoint, store = args.root / args.checkpoint, args.root / "store"
    digest = checkpoints.describe(checkpoint)["weights_sha256"]
    folder = store / f"{digest[:16]}-{settings.engine}-{settings.dtype}-seed{settings.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = checkpoints.load_tokenizer(checkpoint)
    requests = read_unique_rows(args.requests, Request)
    ready = [args.root / path for path in json.loads(args.ready).get(args.checkpoint, [])]
    others = [
        read_unique_rows(path, Request)
        for path in ready
        if path.exists() and not path.samefile(args.requests)
    ]

    engines = Engines(
        checkpoint, tokenizer, settings, args.device, args.threads, work=store / "merged"
    )
    with engines:
        server = Server(
            Store(folder), tokenizer, engines.start,
            save_every=settings.save_every, max_model_len=settings.max_model_len, match=args.match,
        )
        # Two jobs on one checkpoint would both generate what both lack.
        with FileLock(folder / f"serve-{number}-of-{shards}.lock"):
            mine = [r for r in requests if shard_of(r, shards) == number] if shards > 1 else requests
            generations = server.serve(mine)
            for other in others:
                server.serve(r for r in other if shards == 1 or shard_of(r, shards) == number)
    if args.marker:
        write_json(args.marker, {"shard": args.shard, "requests": len(mine)})
    if args.generations:
        write_rows(args.generations, generations)


if __name__ == "__main__":
    program.run(main, "generate")
