/**
 * Mistakes of the user, from the case to the initial state: each is refused with one message that
 * names the option and its value and says what would work.
 */
#include "refusal_support.h"

static void TestBounds(void **state)
{
    (void)state;
    Expect("blowup_rate", "0", "must be above 0 (");
    Expect("blowup_rate", "-1", "must be above 0 (");
    Expect("model_epsilon", "-1e-9", "must be at least 0 (");
    Expect("model_delay", "-1", "must be at least 0 (");
    Expect("model_refractory", "-1", "must be at least 0 (");
    Expect("initial_rate", "-1", "must be at least 0 (");
    Expect("time_tolerance", "0", "must be above 0 (");
    Expect("time_tolerance", "2", "must be at most 1 (");
    Expect("time_step_min", "-1", "must be at least 0 (");
    Expect("time_step_max", "-1", "must be at least 0 (");
    Expect("coupling_tolerance", "-1e-10", "must be at least 0 (");
    Expect("coupling_iterations", "1", "must be at least 2 (");
    Expect("coupling_scan", "-1", "must be at least 0 (");
    Expect("steady_tolerance", "0", "must be above 0 (");
    Expect("time_end", "0", "must be above 0 (");
    Expect("time_step", "-1e-3", "must be at least 0 (");
    Expect("grid_v_cells", "2", "must be at least 3 (");
    Expect("grid_v_cells", "-60", "must be at least 3 (");
    Expect("grid_w_cells", "0", "must be at least 1 (");
    Expect("output_series_every", "0", "must be at least 1 (");
    Expect("output_series_interval", "-0.1", "must be at least 0 (");
    Expect("output_fields_every", "-0.1", "must be at least 0 (");
    Expect("slice_ksp_rtol", "0", "must be above 0 (");
    Expect("model_flux", "upwind", "must be scharfetter-gummel or harmonic");
    Expect("model_plasticity", "maybe", "must be true or false");
    Expect("dry_run", "2", "must be true or false");
}

static void TestNumbers(void **state)
{
    static const char *const real[] = {"model_epsilon", "model_v_threshold", "model_v_reset",
                                       "model_v_min",   "grid_w_min",        "grid_w_max",
                                       "time_end",      "time_step",         "output_fields_every",
                                       "slice_ksp_rtol"};
    static const char *const counts[] = {"grid_v_cells", "grid_w_cells", "output_series_every"};
    static const char *const bad[] = {"nan", "inf", "1e400", "1.5x", "1,5", "0x"};
    (void)state;
    for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
        Expect(real[i], "abc", "must be a finite number (");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Expect("model_epsilon", bad[i], "must be a");
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        Expect(counts[i], "7.5", "must be a whole number (");
        Expect(counts[i], "abc", "must be a whole number (");
        Expect(counts[i], "nan", "must be a whole number (");
    }
    Expect("grid_w_cells", "1e12", "");
    Expect("model_epsilon", "--1", "must be a finite number");
    ExpectWords(WORDS("-model_epsilon", ""), "-model_epsilon: needs a value", "");
}

static void TestNames(void **state)
{
    static const char *const misspelt[][2] = {{"modell_noise", "model_noise"},
                                              {"model_nosie", "model_noise"},
                                              {"grid_w_cell", "grid_w_cells"},
                                              {"tine_step", "time_step"},
                                              {"time_ends", "time_end"},
                                              {"output_dirr", "output_dir"},
                                              {"initial_densty", "initial_density"},
                                              {"slice_ksp_typ", "slice_ksp_type"},
                                              {"slice_pc_tpye", "slice_pc_type"}};
    (void)state;
    for (size_t i = 0; i < sizeof(misspelt) / sizeof(misspelt[0]); i++) {
        char word[64];
        char hint[128];
        (void)snprintf(word, sizeof(word), "-%s", misspelt[i][0]);
        (void)snprintf(hint, sizeof(hint), "unknown option -%s: did you mean -%s?", misspelt[i][0],
                       misspelt[i][1]);
        ExpectWords(WORDS(word, "1"), hint, "");
    }
    ExpectWords(WORDS("-qqq", "1"), "unknown option -qqq: see engram -help", "");
}

static void TestWords(void **state)
{
    (void)state;
    ExpectWords(WORDS("stray"), "unexpected argument 'stray'", "");
    ExpectWords(WORDS("--model_noise", "1"), "unexpected argument '--model_noise'", "");
    ExpectWords(WORDS("-"), "unexpected argument '-'", "");
    ExpectWords(WORDS("-model_input", "-w"), "-model_input -w: the option needs a value",
                "-model_input \"(-w)\"");
    ExpectWords(WORDS("-model_response", "-N/2"), "-model_response -N/2",
                "-model_response \"(-N/2)\"");
    ExpectWords(WORDS("-model_noise"), "-model_noise: needs a value", "");
    ExpectWords(WORDS("-model_noise", "-grid_w_cells", "20"), "-model_noise: needs a value", "");
    ExpectWords(WORDS("-slice_ksp_type", "foo"), "-slice_ksp_type foo: PETSc has no such KSP",
                "preonly");
    ExpectWords(WORDS("-slice_pc_type", "foo"), "-slice_pc_type foo: PETSc has no such PC", "gth");
    ExpectWords(WORDS("-slice_ksp_type", "gmres", "-slice_ksp_max_it", "abc"), "slice solver",
                "abc");
    ExpectWords(WORDS("-slice_ksp_type", "gmres", "-slice_ksp_norm_type", "foo"),
                "-slice_ksp_norm_type", "unpreconditioned");
    assert_non_null(strstr(EngramErrorMessage(), "foo"));
    ExpectWords(WORDS("-slice_ksp_type", "gmres", "-slice_ksp_gmres_restart", "-3"), "slice solver",
                "Restart must be positive");
    ExpectWords(WORDS("-slice_pc_type", "lu", "-slice_pc_factor_mat_ordering_type", "foo"),
                "slice solver", "foo");
}

static void TestGrids(void **state)
{
    (void)state;
    Expect("model_v_reset", "2", "must lie below -model_v_threshold 2");
    ExpectWords(WORDS("-model_v_threshold", "0.5"),
                "-model_v_reset 1: must lie below -model_v_threshold 0.5", "");
    Expect("model_v_min", "1", "must lie below -model_v_reset 1");
    Expect("grid_w_max", "-0.5", "must lie above -grid_w_min 0");
    ExpectWords(WORDS("-grid_w_min", "3"), "-grid_w_max 1: must lie above -grid_w_min 3", "");
    ExpectWords(WORDS("-grid_w_min", "1"), "-grid_w_max 1: must lie above -grid_w_min 1",
                "-grid_w_cells 1");
    ExpectWords(WORDS("-grid_v_cells", "1200000000"), "-grid_v_cells 1200000000", "");
    ExpectWords(WORDS("-grid_w_cells", "300000000"), "-grid_w_cells 300000000", "");
    ExpectWords(WORDS("-model_v_min", "-3.9999"),
                "-grid_v_cells 60: V_R = 1 falls between two nodes", "no count near it works");
    assert_non_null(strstr(EngramErrorMessage(), "-model_v_min"));
}

/** The counts that the message names work. */
static void TestNearestCountsOfCells(void **state)
{
    static const struct {
        const char *v_min;
        const char *cells;
        const char *works[2];
    } cases[] = {{"-4", "61", {"60", "66"}},    {"-4", "62", {"60", "66"}},
                 {"-4", "63", {"60", "66"}},    {"-4", "64", {"60", "66"}},
                 {"-4", "65", {"60", "66"}},    {"-3.5", "100", {"99", "110"}},
                 {"-3.7", "100", {"57", "114"}}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char nearest[128];
        const char *words[] = {"-grid_v_cells", cases[i].cells, "-model_v_min", cases[i].v_min,
                               NULL};
        (void)snprintf(nearest, sizeof(nearest), "the nearest counts that work are %s and %s",
                       cases[i].works[0], cases[i].works[1]);
        ExpectWords(words, "V_R = 1 falls", nearest);
        for (int k = 0; k < 2; k++) {
            words[1] = cases[i].works[k];
            Accept(words);
        }
    }
    Expect("grid_v_cells", "3", "V_R = 1");
    ExpectWords(WORDS("-grid_v_cells", "3"), "the nearest count that works is 6", "");
    Accept(WORDS("-grid_v_cells", "6"));
}

static void TestExpressions(void **state)
{
    (void)state;
    ExpectExpression("model_input", "1 + x",
                     "in w, t and s; at position 5: Unexpected token \"x\"");
    ExpectExpression("model_input", "v", "in w, t and s; at position 1: Unexpected token \"v\"");
    ExpectExpression("model_input", "2*foo(1)", "at position 3: Unexpected token \"foo\"");
    ExpectExpression("model_input", "w t", "at position 3: Unexpected variable \"t\"");
    ExpectExpression("model_input", "(1 + w", "at position 6: Missing parenthesis");
    ExpectExpression("model_input", "1 # 2", "at position 3: Unexpected token \"#");
    ExpectExpression("model_input", "w < 0.5 ? 1",
                     "at position 11: If-then-else operator is missing an else");
    ExpectExpression("model_input", "1e400", "at position 1: Unexpected token");
    ExpectExpression("model_input", " ", "at position 1: Expression is empty");
    ExpectExpression("model_input", "1, 2",
                     "2 values separated by commas where one expression is expected");
    ExpectExpression("model_response", "w",
                     "in Nbar (or N); at position 1: Unexpected token \"w\"");
    ExpectExpression("model_learning", "1 + t", "in w; at position 5: Unexpected token \"t\"");
    ExpectExpression("initial_density", "exp(-t)",
                     "in w and v; at position 6: Unexpected token \"t\"");
    ExpectExpression("model_input", "w = 0.5 ? 1 : 2", "");
    ExpectWords(WORDS("-model_input", ""), "-model_input: needs a value", "");
    ExpectWords(WORDS("-initial_density", ""), "-initial_density: needs a value", "");
}

/** muParser repeats a position of its own in these, counted from 0. */
static void TestPositions(void **state)
{
    static const struct {
        const char *text;
        const char *place;
    } cases[] = {{"1 +", "at position 3: "},
                 {"1 + w)", "at position 6: "},
                 {"2^", "at position 2: "},
                 {"exp()", "at position 5: "},
                 {"exp(1, 2)", "at position 9: "}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ExpectExpression("model_input", cases[i].text, cases[i].place);
        const char *first = strstr(EngramErrorMessage(), "position");
        assert_non_null(first);
        assert_null(strstr(first + 1, "position"));
    }
}

/** Expressions that are well formed, and have no good value somewhere. */
static void TestValuesOfExpressions(void **state)
{
    static const char *const rate = "the total firing rate of the initial state is not finite";
    (void)state;
    ExpectExpression("initial_density", "w - 0.5",
                     "is -0.475 at w = 0.025, v = -3.9; it must be finite and not");
    ExpectExpression("initial_density", "0.51 - w",
                     "is -0.015 at w = 0.525, v = -3.9; it must be finite and not");
    ExpectExpression("initial_density", "1.22 - v",
                     "is -0.08 at w = 0.025, v = 1.3; it must be finite and not");
    ExpectExpression("initial_density", "sqrt(w - 0.5)",
                     "nan at w = 0.025, v = -3.9; it must be finite and not");
    ExpectExpression("initial_density", "w < 0.9 ? 1 : 1/0",
                     "is inf at w = 0.925, v = -3.9; it must be finite");
    ExpectExpression("initial_density", "0",
                     "its integral over the grid is 0; it must be positive");
    ExpectExpression("model_learning", "1/(w < 0.5 ? 1 : 0)",
                     "is inf at w = 0.525; it must be finite");
    ExpectExpression("model_learning", "sqrt(0.8 - w)", "nan at w = 0.825; it must be finite");
    ExpectExpression("model_input", "1/(w - 0.525)", rate);
    ExpectExpression("model_input", "log(t - 1)", rate);
    ExpectExpression("model_response", "1/(N - N)", rate);
    ExpectExpression("model_response", "sqrt(-1 - N)", rate);
}

static void TestSteps(void **state)
{
    (void)state;
    Expect("time_step", "1e-17", "1e+16 steps to -time_end 0.1 are more than");
    Expect("time_step", "1e-300", "1e+299 steps to -time_end 0.1 are more than");
    ExpectWords(WORDS("-time_step", "1e-300", "-time_end", "1e300"),
                "-time_step 1e-300: inf steps to -time_end 1e+300", "");
    ExpectWords(WORDS("-time_step", "0", "-time_adaptive", "false"),
                "-time_adaptive false: fixed steps need their length, as in -time_step", "");
}

static void TestCases(void **state)
{
    const char *const none[] = {NULL};
    (void)state;
    ExpectCase("time_end: 1\n", none, "-initial_density: must be given", "an expression");
    ExpectCase("initial_density: '1'\n", none, "-time_end: must be given (a finite number: ", "");
    ExpectCase("initial_density: '1'\ntine_end: 1\n", none,
               "unknown option -tine_end: did you mean -time_end?", "");
    ExpectCase("model:\n  noise: 1\n  epsilonn: 0.1\n", none,
               ":3:3: unknown option -model_epsilonn: did you mean -model_epsilon?", "");
    ExpectCase("grid: {w: {cell: 20}}\n", none,
               ":1:12: unknown option -grid_w_cell: did you mean -grid_w_cells?", "");
    ExpectCase("just text\n", none, ":1:1: a single text where options are expected", "");
}

/** After all refusals everything still works. */
static void TestGoodCases(void **state)
{
    (void)state;
    Accept(WORDS("-model_noise", "2"));
    Accept(WORDS("-model_input", "-1", "-model_v_min", "-.5", "-grid_w_min", "-2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestBounds),
        cmocka_unit_test(TestNumbers),
        cmocka_unit_test(TestNames),
        cmocka_unit_test(TestWords),
        cmocka_unit_test(TestGrids),
        cmocka_unit_test(TestNearestCountsOfCells),
        cmocka_unit_test(TestExpressions),
        cmocka_unit_test(TestPositions),
        cmocka_unit_test(TestValuesOfExpressions),
        cmocka_unit_test(TestSteps),
        cmocka_unit_test(TestCases),
        cmocka_unit_test(TestGoodCases),
    };
    return cmocka_run_group_tests(tests, StartRefusals, StopRefusals);
}
