"""One lesson's world: its schema and volumes, files that arrive on demand, checks, hints, quiz and faults."""

from helpers.lab.faults import UnknownFault
from helpers.lab.job import LabJob, NoSuchFolder, NotAFileOfTheJob, NotRunHere
from helpers.lab.opening import LessonOpen, open_lab
from helpers.lab.outcome import Outcome
from helpers.lab.task import Task, open_task
from helpers.lab.world import Lab, NoSuchDay

__all__ = [
    "Lab",
    "LabJob",
    "LessonOpen",
    "NoSuchDay",
    "NoSuchFolder",
    "NotAFileOfTheJob",
    "NotRunHere",
    "Outcome",
    "Task",
    "UnknownFault",
    "open_lab",
    "open_task",
]
