"""Workbench: the verbs of every chapter put together; the doctor, JupyterLab and pages of their own."""

from workbench.workflow.workbench import Workbench

__all__ = ["Workbench"]
