"""What must be done by when: the dated actions of a plan. See docs/actions.md.

A pure function of scenario, candidates and plan; nothing is decided and nothing solved here.
"""

from sitepick.actions.decisions import UNITS as UNITS
from sitepick.actions.decisions import decisions_due as decisions_due
from sitepick.actions.decisions import decisions_of as decisions_of
from sitepick.actions.derive import actions_of as actions_of
from sitepick.actions.types import KINDS as KINDS
from sitepick.actions.types import Action as Action
from sitepick.actions.types import Decision as Decision
from sitepick.actions.types import Kind as Kind
