/**
 * Options that contradict each other, names that do not exist, and noises that are not positive:
 * each is refused with a message that says what would work.
 */
#include "refusal_support.h"

static void TestNamesOfMethods(void **state)
{
    (void)state;
    Expect("coupling", "explicit", "must be lagged or implicit or auto");
    Expect("coupling", "Implicit", "must be lagged or implicit or auto");
    Expect("coupling", "true", "must be lagged or implicit or auto");
    Expect("transport_time", "both", "must be explicit or implicit");
    Expect("transport_time", "lagged", "must be explicit or implicit");
    Expect("time_scheme", "rk4", "must be euler or second-order or third-order");
    Expect("time_scheme", "2", "must be euler or second-order or third-order");
    Expect("time_scheme", "adaptive", "must be euler or second-order or third-order");
    Expect("time_start", "smooth", "must be graded or plain");
    Expect("time_adaptive", "maybe", "must be false or true or auto");
    Expect("time_adaptive", "1e-4", "must be false or true or auto");
    Expect("model_flux", "sg", "must be scharfetter-gummel or harmonic");
    Expect("transport_order", "3", "must be auto or 1 or 2 or 5");
    Expect("transport_order", "1000000", "must be auto or 1 or 2 or 5");
    Expect("transport_order", "1.5", "must be auto or 1 or 2 or 5");
    Expect("transport_order", "0", "must be auto or 1 or 2 or 5");
    Expect("transport_order", "fifth", "must be auto or 1 or 2 or 5");
    Expect("insitu_strict", "maybe", "must be true or false (");
    Expect("initial_quasi_static", "maybe", "must be true or false (");
    Expect("model_plasticity", "maybe", "must be true or false (");
    ExpectWords(WORDS("-coupling"), "-coupling: needs a value (", "");
    ExpectWords(WORDS("-transport_time"), "-transport_time: needs a value (", "");
    ExpectWords(WORDS("-time_scheme"), "-time_scheme: needs a value (", "");
    ExpectWords(WORDS("-time_start"), "-time_start: needs a value (", "");
    ExpectWords(WORDS("-time_adaptive"), "-time_adaptive: needs a value (", "");
    ExpectWords(WORDS("-model_flux"), "-model_flux: needs a value (", "");
}

static void TestGuessedOptions(void **state)
{
    (void)state;
    ExpectWords(WORDS("-time_adaptiv", "1"),
                "unknown option -time_adaptiv: did you mean -time_adaptive?", "");
    ExpectWords(WORDS("-time_schema", "1"),
                "unknown option -time_schema: did you mean -time_scheme?", "");
    ExpectWords(WORDS("-time_started", "1"),
                "unknown option -time_started: did you mean -time_start?", "");
    ExpectWords(WORDS("-output_series_intervall", "1"),
                "unknown option -output_series_intervall: did you mean -output_series_interval?",
                "");
    ExpectWords(WORDS("-model_refractary", "1"),
                "unknown option -model_refractary: did you mean -model_refractory?", "");
    ExpectWords(WORDS("-model_delays", "1"),
                "unknown option -model_delays: did you mean -model_delay?", "");
    ExpectWords(WORDS("-transport_orders", "1"),
                "unknown option -transport_orders: did you mean -transport_order?", "");
    ExpectWords(WORDS("-couplings", "1"), "unknown option -couplings: did you mean -coupling?", "");
    ExpectWords(WORDS("-initial_quasistatic", "1"),
                "unknown option -initial_quasistatic: did you mean -initial_quasi_static?", "");
    ExpectWords(WORDS("-blow_up_rate", "1"),
                "unknown option -blow_up_rate: did you mean -blowup_rate?", "");
    ExpectWords(WORDS("-steady-sweep", "1"),
                "unknown option -steady-sweep: did you mean -steady_sweep?", "");
    ExpectWords(WORDS("-time_min_step", "1"), "unknown option -time_min_step: ", "");
    ExpectWords(WORDS("-coupling_time", "1"), "unknown option -coupling_time: ", "");
    ExpectWords(WORDS("-delay", "1"), "unknown option -delay: ", "");
    ExpectWords(WORDS("-adaptive", "1"), "unknown option -adaptive: ", "");
}

static void TestAdaptiveSteps(void **state)
{
    (void)state;
    ExpectWords(WORDS("-time_adaptive", "true", "-time_step_min", "0.5", "-time_step_max", "0.1"),
                "-time_step_min 0.5: must not be longer than -time_step_max 0.1", "");
    ExpectWords(
        WORDS("-time_adaptive", "true", "-time_step_min", "0.011", "-time_step_max", "0.01"),
        "-time_step_min 0.011: must not be longer than -time_step_max 0.01", "");
    ExpectWords(WORDS("-time_adaptive", "true", "-output_fields_every", "1e-19"),
                "-output_fields_every 1e-19: adaptive steps end at every output",
                "it must be 0, or at least 1e-10");
    ExpectWords(
        WORDS("-time_adaptive", "true", "-time_step_min", "0.02", "-output_fields_every", "0.01"),
        "-output_fields_every 0.01: adaptive steps end at every output",
        "it must be 0, or at least 0.02");
    ExpectWords(WORDS("-time_adaptive", "true", "-output_series_interval", "1e-19"),
                "-output_series_interval 1e-19: adaptive steps end at every output",
                "it must be 0, or at least 1e-10");
    ExpectWords(WORDS("-time_adaptive", "true", "-time_step_min", "0.02", "-output_series_interval",
                      "0.01"),
                "-output_series_interval 0.01: adaptive steps end at every output",
                "it must be 0, or at least 0.02");
    ExpectWords(WORDS("-time_step", "0", "-model_delay", "0.3", "-model_epsilon", "1e-12"),
                "-model_delay 0.3: adaptive steps are at most a quarter of eps d, here 7.5e-14 for "
                "a run to t = 0.1",
                "fixed steps");
}

static void TestLaggedCoupling(void **state)
{
    (void)state;
    ExpectWords(WORDS("-coupling", "lagged"),
                "-coupling lagged: its error is of second order at best", "-time_scheme euler");
    ExpectWords(WORDS("-coupling", "lagged", "-time_start", "plain"),
                "-coupling lagged: its error is of second order", "");
    ExpectWords(WORDS("-coupling", "lagged", "-time_step", "0"), "-coupling lagged: adaptive steps",
                "-time_step for fixed steps");
    ExpectWords(WORDS("-coupling", "lagged", "-time_adaptive", "true", "-time_scheme", "euler"),
                "-coupling lagged: adaptive steps", "");
    ExpectWords(WORDS("-coupling", "lagged", "-time_scheme", "second-order", "-time_step", "0"),
                "-coupling lagged: adaptive steps", "");
}

static void TestLimit(void **state)
{
    (void)state;
    ExpectWords(WORDS("-model_epsilon", "0", "-slice_pc_type", "lu"), "-slice_",
                "-model_epsilon 0 has no linear systems to solve");
    ExpectWords(WORDS("-model_epsilon", "0", "-slice_ksp_type", "gmres"), "-slice_",
                "-model_epsilon 0 has no linear systems");
    ExpectWords(WORDS("-model_epsilon", "0", "-slice_ksp_type", "gmres", "-slice_pc_type", "ilu"),
                "-slice_", "leave the options");
    ExpectWords(WORDS("-model_epsilon", "0", "-model_delay", "1"),
                "-model_delay 1: ", "-model_epsilon 0 makes infinitely short");
    ExpectWords(WORDS("-model_epsilon", "0", "-model_delay", "1", "-coupling", "implicit"),
                "-model_delay 1: ", "leave it out");
    ExpectWords(WORDS("-model_epsilon", "0", "-time_scheme", "extrapolated", "-coupling", "lagged"),
                "-time_scheme second-order: with -model_epsilon 0 the lagged",
                "add -coupling implicit");
    ExpectWords(WORDS("-model_epsilon", "0", "-model_noise", "0.1 - N", "-model_input", "3"),
                "no quasi-static state", "noise");
    ExpectWords(WORDS("-model_epsilon", "0", "-model_response", "40*N", "-model_input", "5"),
                "no quasi-static state", "");
}

static void TestTransportOrders(void **state)
{
    (void)state;
    ExpectWords(
        WORDS("-transport_order", "5", "-grid_w_cells", "7"),
        "-transport_order 5: needs at least 8 cells of w, and -grid_w_cells is 7; take order 2",
        "");
    ExpectWords(WORDS("-transport_order", "5", "-transport_time", "implicit"),
                "-transport_order 5: needs -transport_time explicit", "");
    Accept(WORDS("-transport_order", "5", "-grid_w_cells", "8"));
}

/** A noise that is not positive is refused, and the message says what it must be. */
static void ExpectNoise(const char *const words[], const char *first, const char *second)
{
    ExpectWords(words, first, second);
    assert_non_null(strstr(EngramErrorMessage(), "greater than 0"));
}

static void TestNoises(void **state)
{
    (void)state;
    ExpectNoise(WORDS("-model_noise", "0"), "-model_noise \"0\": ", "is 0 at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "-1"), "-model_noise \"-1\": ", "is -1 at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "N"), "-model_noise \"N\": ", "is 0 at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "N - 1"), "-model_noise \"N - 1\": ", "is -1 at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "1/N"), "-model_noise \"1/N\": ", "is inf at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "log(N)"),
                "-model_noise \"log(N)\": ", "is -inf at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "sqrt(-1 - N)"),
                "-model_noise \"sqrt(-1 - N)\": ", "nan at Nbar = 0");
    ExpectNoise(WORDS("-model_noise", "1 - N", "-initial_rate", "2"),
                "-model_noise \"1 - N\": ", "is -1 at Nbar = 2");
    ExpectWords(WORDS("-model_noise", "w"),
                "-model_noise \"w\": not a valid expression in Nbar (or N)",
                "Unexpected token \"w");
    ExpectWords(WORDS("-model_noise", "1 + 0.1*t"),
                "-model_noise \"1 + 0.1*t\": not a valid expression in Nbar (or N)",
                "Unexpected token \"t");
    ExpectWords(WORDS("-model_noise", "1 + v^2"),
                "-model_noise \"1 + v^2\": not a valid expression in Nbar (or N)",
                "Unexpected token \"v");
    ExpectWords(WORDS("-model_noise", "1 + 0.1*nbar"),
                "-model_noise \"1 + 0.1*nbar\": not a valid expression in Nbar (or N)",
                "Unexpected token \"nbar");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestNamesOfMethods), cmocka_unit_test(TestGuessedOptions),
        cmocka_unit_test(TestAdaptiveSteps),  cmocka_unit_test(TestLaggedCoupling),
        cmocka_unit_test(TestLimit),          cmocka_unit_test(TestTransportOrders),
        cmocka_unit_test(TestNoises),
    };
    return cmocka_run_group_tests(tests, StartRefusals, StopRefusals);
}
