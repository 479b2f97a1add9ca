"""Stock solvers on the assembled matrix: independent programs that must find the same density."""

import engram_test
import numpy

METHODS = {
    "lu": ["-slice_pc_type", "lu"],
    "gmres and ilu": ["-slice_ksp_type", "gmres", "-slice_pc_type", "ilu"],
    "bicgstab and jacobi": ["-slice_ksp_type", "bcgs", "-slice_pc_type", "jacobi"],
}


# The rates at t = 0 are those of a moment of 1e-4 kappa, in which an error of the density counts
# 2e4 times: the residual of 1e-12 that Krylov methods leave, too.
FIRST_MOMENT = 1e-7


class Solvers(engram_test.EngramTestCase):
    """The elimination against PETSc's factorisation and Krylov methods."""

    def compare(self, tolerance, **changes):
        """All methods agree with the elimination on every field, relative to its maximum."""
        changes = {**engram_test.PLAIN_EULER, **changes}
        reference = self.run_case(**changes).fields()
        for name, words in METHODS.items():
            fields = self.run_case(extra=words, ranks=2, **changes).fields()
            for field in ("density", "firing_rate", "weight_density", "total_rate"):
                with self.subTest(method=name, field=field):
                    largest = reference[field].max()
                    difference = numpy.abs(fields[field] - reference[field])
                    self.assertLess(difference[1:].max(), tolerance * largest)
                    self.assertLess(difference[0].max(), FIRST_MOMENT * largest)
                    self.assertGreater(reference[field][-1].max(), 1e-3)

    def test_learning(self):
        # Residuals of 1e-12 and a condition number of about a hundred.
        self.compare(2e-10)

    def test_large_drifts_of_both_signs(self):
        # The elimination takes tails of up to 1e-9 of a slice that became negative for zero.
        self.compare(1e-9, grid_w_min=-2, grid_w_max=2, model_noise=0.05, model_input="3*w",
                     model_response="2*N", initial_density="exp(-w^2)*exp(-(v - 0.5)^2/0.1)")

    def test_reset_next_to_either_end(self):
        self.compare(1e-10, model_v_reset=1.9, model_v_min=-4, grid_v_cells=60, model_input="3")
        self.compare(1e-10, model_v_reset=-3.9, model_v_min=-4, grid_v_cells=60, model_input="3")

    def test_solvers_really_differ(self):
        """Not the same code under two names: the bits of lu are others."""
        self.assertNotEqual(self.run_case().fields()["density"].tobytes(),
                            self.run_case(extra=METHODS["lu"]).fields()["density"].tobytes())


if __name__ == "__main__":
    engram_test.main()
