"""The methods, in reading order. A further method adds its face here.

They stand in a module of their own, so that a method's programs, which import the package
`methods`, depend on no other method.
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
