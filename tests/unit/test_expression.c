/**
 * Expressions of the user: values, the variables they use, and what becomes of mistakes. Messages
 * about the mistakes made here on purpose go to stderr.
 */
#include "unit_support.h"

#include <math.h>
#include <petscsys.h>

#include "engram/base/error.h"
#include "engram/model/expression.h"

static int StartPetsc(void **state)
{
    (void)state;
    return PetscInitializeNoArguments() || EngramErrorHandlerInstall();
}

static int StopPetsc(void **state)
{
    (void)state;
    return PetscPopErrorHandler() || PetscFinalize();
}

static EngramExpression Compile(const char *text, const char *variables)
{
    EngramExpression expression = NULL;
    assert_int_equal(EngramExpressionCreate("model_input", text, variables, &expression), 0);
    assert_non_null(expression);
    return expression;
}

/** Value of an expression in w = 0.75 and t = 2. */
static double ValueOf(const char *text)
{
    const double variables[2] = {0.75, 2.0};
    EngramExpression expression = Compile(text, "wt");
    const double value = EngramExpressionValue(expression, variables);
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
    return value;
}

static void TestOperators(void **state)
{
    (void)state;
    UNIT_ASSERT_SAME_BITS(ValueOf("1"), 1.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("0.1"), 0.1);
    UNIT_ASSERT_SAME_BITS(ValueOf("1e-3"), 1e-3);
    UNIT_ASSERT_SAME_BITS(ValueOf("w - t"), -1.25);
    UNIT_ASSERT_SAME_BITS(ValueOf("t/w*3"), 8.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("1 + 2*t^3"), 17.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("-(w + 1)*4"), -7.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("w < t ? 10 : 20"), 10.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("w > t ? 10 : 20"), 20.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("(w > 0 && t > 3) || w < 1"), 1.0);
    UNIT_ASSERT_SAME_BITS(ValueOf("w > 0 && t > 3"), 0.0);
}

/** N has a second name; no other variable has. */
static void TestTotalRate(void **state)
{
    (void)state;
    const double rate[1] = {0.3};
    const char *const texts[] = {"Nbar/(1 + Nbar)", "N/(1 + N)", "N/(1 + Nbar)"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        EngramExpression expression = Compile(texts[i], "N");
        UNIT_ASSERT_SAME_BITS(EngramExpressionValue(expression, rate), 0.3 / 1.3);
        assert_true(EngramExpressionUses(expression, 'N'));
        assert_int_equal(EngramExpressionDestroy(&expression), 0);
    }
    EngramExpression other = NULL;
    assert_int_not_equal(EngramExpressionCreate("model_input", "Nbar", "w", &other), 0);
    assert_int_equal(EngramExpressionDestroy(&other), 0);
}

static void TestFunctions(void **state)
{
    (void)state;
    const double bound = 4e-16;
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("pi") - 3.14159265358979323846), 0.0);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("exp(w)") / exp(0.75) - 1.0), bound);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("sqrt(t)") / sqrt(2.0) - 1.0), bound);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("sin(pi*w)") / sin(0.75 * PETSC_PI) - 1.0), bound);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("cos(w)") / cos(0.75) - 1.0), bound);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("tanh(w)") / tanh(0.75) - 1.0), bound);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("abs(w - t)") - 1.25), 0.0);
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("min(w, t) + 10*max(w, t)") - 20.75), 0.0);
    /* log is the natural logarithm, as in C. */
    UNIT_ASSERT_AT_MOST(fabs(ValueOf("log(t)") / log(2.0) - 1.0), bound);
}

static void TestValuesFollowTheVariables(void **state)
{
    (void)state;
    EngramExpression expression = Compile("100*a + 10*b + c - d", "abcd");
    for (int i = 0; i < 50; i++) {
        const double variables[4] = {i, 2.0 * i, 3.0 - i, 0.5 * i};
        const double expected = 100.0 * i + 20.0 * i + 3.0 - i - 0.5 * i;
        UNIT_ASSERT_SAME_BITS(EngramExpressionValue(expression, variables), expected);
    }
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
}

static void TestTwoExpressionsAreIndependent(void **state)
{
    (void)state;
    const double one = 1.0;
    const double two = 2.0;
    EngramExpression first = Compile("t + 1", "t");
    EngramExpression second = Compile("t*10", "t");
    UNIT_ASSERT_SAME_BITS(EngramExpressionValue(first, &one), 2.0);
    UNIT_ASSERT_SAME_BITS(EngramExpressionValue(second, &two), 20.0);
    UNIT_ASSERT_SAME_BITS(EngramExpressionValue(first, &two), 3.0);
    assert_int_equal(EngramExpressionDestroy(&first), 0);
    UNIT_ASSERT_SAME_BITS(EngramExpressionValue(second, &one), 10.0);
    assert_int_equal(EngramExpressionDestroy(&second), 0);
}

static void ExpectUses(const char *text, PetscBool uses_w, PetscBool uses_t)
{
    EngramExpression expression = Compile(text, "wt");
    assert_int_equal(EngramExpressionUses(expression, 'w'), uses_w);
    assert_int_equal(EngramExpressionUses(expression, 't'), uses_t);
    assert_int_equal(EngramExpressionUses(expression, 'x'), PETSC_FALSE);
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
}

static void TestUses(void **state)
{
    (void)state;
    ExpectUses("1 + pi", PETSC_FALSE, PETSC_FALSE);
    ExpectUses("w^2", PETSC_TRUE, PETSC_FALSE);
    /* The letter of a variable inside the name of a function is no use of it. */
    ExpectUses("sqrt(2) + tanh(1)", PETSC_FALSE, PETSC_FALSE);
    ExpectUses("sqrt(t)", PETSC_FALSE, PETSC_TRUE);
    ExpectUses("t*w + w", PETSC_TRUE, PETSC_TRUE);
    ExpectUses("1 < 2 ? w : t", PETSC_TRUE, PETSC_TRUE);
}

/** The code of a text that is no expression; frees what was made of it. */
static PetscErrorCode CodeOf(const char *text, const char *variables)
{
    EngramExpression expression = NULL;
    const PetscErrorCode code =
        EngramExpressionCreate("test_mistake", text, variables, &expression);
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
    return code;
}

static void TestMistakesAreInputErrors(void **state)
{
    (void)state;
    const char *mistakes[] = {"",     "1 +",      "w = 3",  "w +* t", "(w",
                              "w)",   "x",        "foo(w)", "2 w",    "w ? 1",
                              "1, 2", "exp(w,t)", "max()",  "w ~ t",  "1..2"};
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const PetscErrorCode code = CodeOf(mistakes[i], "wt");
        if (code != ENGRAM_ERR_INPUT) {
            fail_msg("\"%s\" gives the code %d", mistakes[i], (int)code);
        }
    }
    assert_int_equal(CodeOf("w + t", "wt"), 0);
    /* A variable of another expression is unknown to this one. */
    assert_int_equal(CodeOf("w + t", "w"), ENGRAM_ERR_INPUT);
}

/** A form of which languages think differently, with its value or what refuses it. */
typedef struct Form {
    const char *text;
    double value;
    const char *refusal; /* part of the message, or NULL */
} Form;

#define FORM(text, value) {text, value, NULL},
#define REFUSED(text, refusal) {text, 0.0, refusal},
static const Form FORMS[] = {
#include "expression_forms.def"
};

/** tools/engram_expression.py is tested with the same forms. */
static void TestForms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
        const Form *form = &FORMS[i];
        if (!form->refusal) {
            const double value = ValueOf(form->text);
            if (!(fabs(value - form->value) < 1e-15)) {
                fail_msg("\"%s\" is %.17g, not %g", form->text, value, form->value);
            }
        } else if (CodeOf(form->text, "wt") != ENGRAM_ERR_INPUT ||
                   !strstr(EngramErrorMessage(), form->refusal)) {
            fail_msg("\"%s\": %s", form->text, EngramErrorMessage());
        }
    }
}

static void TestTextsAreKept(void **state)
{
    (void)state;
    char text[] = "1 + w";
    EngramExpression expression = Compile(text, "w");
    text[0] = '2';
    assert_string_equal(EngramExpressionText(expression), "1 + w");
    assert_string_equal(EngramExpressionOption(expression), "model_input");
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
    assert_null(expression);
    assert_int_equal(EngramExpressionDestroy(&expression), 0);
    assert_true(strlen(EngramExpressionLibraryVersion()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOperators),
        cmocka_unit_test(TestTotalRate),
        cmocka_unit_test(TestFunctions),
        cmocka_unit_test(TestValuesFollowTheVariables),
        cmocka_unit_test(TestTwoExpressionsAreIndependent),
        cmocka_unit_test(TestUses),
        cmocka_unit_test(TestMistakesAreInputErrors),
        cmocka_unit_test(TestForms),
        cmocka_unit_test(TestTextsAreKept),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
