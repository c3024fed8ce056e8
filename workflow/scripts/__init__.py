"""One program per rule, each run as `python -m scripts.<name>`.

Python reads this file before the program's own, so the environment is checked here, before an import
of the program can fail because the environment is wrong.
"""

import os
import sys

from plumbline.jobs import installed

# Empty where something else imports a program: a test, or a process that a program started.
_program = [word.removeprefix("scripts.") for word in sys.orig_argv if word.startswith("scripts.")]
if sys.argv[0] == "-m" and _program and (_problem := installed.problem(_program[0], os.environ)):
    sys.exit(f"{_program[0]}: {_problem}")
