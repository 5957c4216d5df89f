"""A program whose rows still enter, as arrays: what is known of it is kept as it grows."""

from __future__ import annotations

from dataclasses import dataclass

from sitepick.matrix import Matrix
from sitepick.program import Program
from sitepick.solve.owners import Owners, numbered


@dataclass
class Whole:
    """The matrix of ``program`` as it is now, its owners numbered 0, 1, ..."""

    program: Program
    threads: int | None = None
    _matrix: Matrix | None = None
    _owners: Owners | None = None

    @property
    def matrix(self) -> Matrix:
        """The program as it is now."""
        if self._matrix is None:
            self._matrix = numbered(self.program.matrix)
        elif self._matrix.A.shape[0] != self.program.n_rows:
            self._matrix = self._matrix.grown(self.program.matrix)
        return self._matrix

    @property
    def owners(self) -> Owners:
        """The owners of `matrix`."""
        matrix = self.matrix
        if self._owners is None:
            self._owners = Owners(matrix, self.threads)
        elif self._owners.matrix is not matrix:
            self._owners = self._owners.grown(matrix)
        return self._owners
