"""The methods, in reading order. To add a method, add its face here.

The list is in a module of its own, so that a method's programs, which import the package `methods`,
do not depend on other methods.
"""

from __future__ import annotations

from plumbline.methods.apeft.face import APEFT
from plumbline.methods.audit.face import AUDIT
from plumbline.methods.consistency.face import CONSISTENCY
from plumbline.methods.flame.face import FLAME
from plumbline.methods.grath.face import GRATH
from plumbline.methods.method import Method
from plumbline.methods.slick.face import SLICK

METHODS: tuple[Method, ...] = (SLICK, GRATH, FLAME, APEFT, CONSISTENCY, AUDIT)
