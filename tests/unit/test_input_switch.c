/**
 * Comparisons of the time in the expression of an input: which of them are found, when they hold,
 * and the difference of their sides.
 */
#include "petsc_support.h"

#include <stdio.h>

#include "engram/model/input.h"

enum { TIMES = 60, MOST = 4 };

/** An expression, and what its comparisons are. */
typedef struct Case {
    const char *text;
    int count;
    double (*difference[MOST])(double t, double s);
    const char *signs[MOST];
} Case;

static double T5(double t, double s)
{
    (void)s;
    return t - 5.0;
}

static double T1(double t, double s)
{
    (void)s;
    return t - 1.0;
}

static double T2(double t, double s)
{
    (void)s;
    return t - 2.0;
}

static double MinusT3(double t, double s)
{
    (void)s;
    return 3.0 - t;
}

static double S2(double t, double s)
{
    (void)t;
    return s - 2.0;
}

static double S9(double t, double s)
{
    (void)t;
    return s - 9.0;
}

static double TLessS(double t, double s)
{
    return t - s;
}

static double TLessS2(double t, double s)
{
    return (t + 1.0) - (s - 1.0);
}

static double Brackets(double t, double s)
{
    return t + (1.0 - 2.0 * s) - 3.0;
}

static double Product(double t, double s)
{
    return (t - 1.0) * (t - 2.0) - (3.0 + fmax(s, 1.0));
}

static double Choice(double t, double s)
{
    return t - (s < 2.0 ? 2.0 : 3.0);
}

static double OneLessS(double t, double s)
{
    return (t < 1.0 ? 1.0 : 0.0) - s;
}

static double Sine(double t, double s)
{
    (void)s;
    return sin(6.0 * t) - 0.5;
}

static double Small(double t, double s)
{
    (void)s;
    return t - 1e-3;
}

static const Case CASES[] = {
    {"t < 5 ? 1 : 0", 1, {T5}, {"<"}},
    {"t<5?w:-w", 1, {T5}, {"<"}},
    {"2*(t\t<= 5 ? 1 : 0) + 3", 1, {T5}, {"<="}},
    {"t>=1 && s<2", 2, {T1, S2}, {">=", "<"}},
    {"t > 1 || s >= 2 || t > 5", 3, {T1, S2, T5}, {">", ">=", ">"}},
    {"max(t<1,2)+(s > (1+2)*3)", 2, {T1, S9}, {"<", ">"}},
    {"max(2, t<1, s > 2)", 2, {T1, S2}, {"<", ">"}},
    {"((t + (1 - (2*(s))))) > ((3))", 1, {Brackets}, {">"}},
    {"2*((t-1)*(t-2) < (3 + max(s, (1)))) + 1", 1, {Product}, {"<"}},
    {"t < 1 ? (t > 5 ? 1 : 2) : s < 2 ? 4 : 5", 3, {T1, T5, S2}, {"<", ">", "<"}},
    {"t < (s < 2 ? 2 : 3)", 2, {Choice, S2}, {"<", "<"}},
    {"(t < 1) > s", 2, {T1, OneLessS}, {"<", ">"}},
    {"(t > 2) == (s > 9)", 2, {T2, S9}, {">", ">"}},
    {"t == 2 && t >= 2", 1, {T2}, {">="}},
    {"-t <= -3", 1, {MinusT3}, {"<="}},
    {"t < s", 1, {TLessS}, {"<"}},
    {"t + 1 > s - (2 - 1)", 1, {TLessS2}, {">"}},
    {"sin(6*t) > 0.5", 1, {Sine}, {">"}},
    {"t < 1e-3", 1, {Small}, {"<"}},
    {"w > 0.5 ? t > 1 : (s < w)", 1, {T1}, {">"}},
};

static EngramInput Create(const char *text)
{
    EngramInput input = NULL;
    assert_int_equal(EngramInputCreate("model_input", text, &input), 0);
    return input;
}

/** Whether a difference of two sides makes a comparison hold. */
static int Holds(const char *sign, double difference)
{
    if (difference == 0.0) {
        return sign[1] == '=';
    }
    return (sign[0] == '<') == (difference < 0.0);
}

static void ExpectSwitch(EngramInput input, int number, const Case *expected)
{
    UnitRandom random = {5};
    for (int k = 0; k < TIMES; k++) {
        /* Half of the times are those at which something changes. */
        const double t = k % 2 ? k / 2 % 6 : UnitRandomBetween(&random, 0.0, 7.0);
        const double s = k % 2 ? k / 12 % 10 : UnitRandomBetween(&random, 0.0, 12.0);
        const double difference = expected->difference[number](t, s);
        UNIT_ASSERT_AT_MOST(fabs(EngramInputSwitchDifference(input, number, t, s) - difference),
                            1e-14);
        if (EngramInputSwitchIsOn(input, number, t, s) !=
            (PetscBool)Holds(expected->signs[number], difference)) {
            fail_msg("\"%s\": comparison %d is wrong at t = %g, s = %g", expected->text, number, t,
                     s);
        }
    }
}

static void TestComparisons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        EngramInput input = Create(CASES[i].text);
        if (EngramInputSwitchCount(input) != CASES[i].count) {
            fail_msg("\"%s\" has %d comparisons", CASES[i].text,
                     (int)EngramInputSwitchCount(input));
        }
        for (int k = 0; k < CASES[i].count; k++) {
            ExpectSwitch(input, k, &CASES[i]);
        }
        assert_int_equal(EngramInputDestroy(&input), 0);
        assert_null(input);
    }
}

/** Without comparison, of equality, of the weight, or of numbers alone. */
static void TestNoComparisons(void **state)
{
    (void)state;
    const char *texts[] = {"0",
                           "w*t + s",
                           "t == 2",
                           "t != 2 ? s == 1 : 0",
                           "w < t ? 1:0",
                           "t > w",
                           "s*w >= 1",
                           "w < 0.5 ? t : s",
                           "1 < 2 ? t : 0",
                           "(w < 1) < t",
                           "max(w, t) > min(s, 2)",
                           "t < 1 + (w > 0.5)"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        EngramInput input = Create(texts[i]);
        if (EngramInputSwitchCount(input) != 0) {
            fail_msg("\"%s\" has %d comparisons", texts[i], (int)EngramInputSwitchCount(input));
        }
        assert_int_equal(EngramInputDestroy(&input), 0);
    }
}

/** As many as there are; the input itself is not changed by them. */
static void TestManyComparisons(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    char text[COUNT * 16] = "0";
    size_t length = 1;
    for (int i = 0; i < COUNT; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length, " + (t > %d)", i);
    }
    EngramInput input = Create(text);
    assert_int_equal(EngramInputSwitchCount(input), COUNT);
    assert_string_equal(EngramInputText(input), text);
    assert_false(EngramInputIsSteady(input));
    for (int i = 0; i < COUNT; i++) {
        const double w = 0.5;
        double value = NAN;
        EngramInputValues(input, i + 0.5, 0.0, 1, &w, &value);
        UNIT_ASSERT_SAME_BITS(value, i + 1.0);
        UNIT_ASSERT_SAME_BITS(EngramInputSwitchDifference(input, i, 0.25, 7.0), 0.25 - i);
        assert_false(EngramInputSwitchIsOn(input, i, i, 1e3));
        assert_true(EngramInputSwitchIsOn(input, i, i + 1e-9, -1e3));
    }
    assert_int_equal(EngramInputDestroy(&input), 0);
    assert_int_equal(EngramInputDestroy(&input), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestComparisons),
        cmocka_unit_test(TestNoComparisons),
        cmocka_unit_test(TestManyComparisons),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
