"""Lessons are their solutions minus what is marked: derive them, check them, and look a solution up."""

from helpers.publish.cutting import PublishError
from helpers.publish.notebooks import solution_of
from helpers.publish.tree import Finding, Published, check, publish

__all__ = ["Finding", "PublishError", "Published", "check", "publish", "solution_of"]
