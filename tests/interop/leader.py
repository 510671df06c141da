"""Sections 5.4 and 5.6: a member that is sequencer and coordinator when it is its turn."""

from coordinator import Coordinator
from sequencer import Sequencer


class Leader(Sequencer, Coordinator):
    pass
