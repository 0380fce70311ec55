"""The verbs of the workbench; each loads, decides with a pure function, and acts only if allowed."""

from workbench.workflow.workbench import Workbench

__all__ = ["Workbench"]
