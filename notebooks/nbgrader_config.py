"""nbgrader's settings for a course made of these notebooks: link this file into the course's folder.

nbgrader's own stub is an error at every question, where "Run All" stops. What it releases with these
settings has the stubs of the notebooks here: nothing stops when an exercise is left out.
"""

import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions

sys.path.insert(0, str(Path(__file__).resolve().parent))  # behind the link
from build import SOLUTION, stub  # noqa: E402


class LeaveStubs(ClearSolutions):
    """Clears like nbgrader but for the solutions of this course, which leave ``name = ...``."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and SOLUTION.search(cell.source):
            cell.source = stub(cell.source)
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


usual = GenerateAssignment.class_traits()["preprocessors"].default()
c = get_config()  # noqa: F821, nbgrader gives it
c.GenerateAssignment.preprocessors = [
    LeaveStubs if step is ClearSolutions else step for step in usual
]
c.ExecutePreprocessor.timeout = 300  # seconds a cell: nbgrader's own 30 are too few
