/**
 * The list of jumps: its order, what becomes of jumps at one time, echoes, and the questions that
 * steps ask, also against a list without any order.
 */
#include "petsc_support.h"

#include "engram/time/time_parameters.h"
#include "jumps.h"

enum { KINKS, RESTARTS };

static void Add(Jumps *jumps, double time, int restarts)
{
    assert_int_equal(JumpsAdd(jumps, JumpOfTime(time, (PetscBool)restarts)), 0);
}

static void ExpectJump(const Jump *jump, double time, double before, double after, double restarts)
{
    assert_non_null(jump);
    UNIT_ASSERT_SAME_BITS(jump->time, time);
    UNIT_ASSERT_SAME_BITS(jump->before, before);
    UNIT_ASSERT_SAME_BITS(jump->after, after);
    UNIT_ASSERT_SAME_BITS(jump->restarts, restarts);
}

static void TestOrder(void **state)
{
    (void)state;
    Jumps jumps = {.list = NULL};
    const double times[7] = {3.0, -1.0, 7.0, 0.0, 5.0, 1e-9, 4.0};
    const double sorted[7] = {-1.0, 0.0, 1e-9, 3.0, 4.0, 5.0, 7.0};
    for (int i = 0; i < 7; i++) {
        Add(&jumps, times[i], i % 2);
    }
    assert_int_equal(jumps.count, 7);
    for (int i = 0; i < 7; i++) {
        UNIT_ASSERT_SAME_BITS(jumps.list[i].time, sorted[i]);
        ExpectJump(JumpsAt(&jumps, times[i]), times[i], times[i], times[i], i % 2);
    }
    assert_int_equal(JumpsDestroy(&jumps), 0);
    assert_int_equal(jumps.count, 0);
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

/** Jumps at one time are one, with the widest interval and the stronger effect. */
static void TestMerging(void **state)
{
    (void)state;
    const double sizes[4] = {1e-300, 1e-3, 1.0, 1e6};
    for (int i = 0; i < 4; i++) {
        Jumps jumps = {.list = NULL};
        const double time = sizes[i];
        const double close = time * (1.0 + 0.9 * ENGRAM_TIME_RESOLUTION);
        const double far = time * (1.0 + 1.2 * ENGRAM_TIME_RESOLUTION);
        const Jump narrow = {time, time, close, 0.0};
        const Jump shifted = {close, nextafter(time, 0.0), close, 1.0};
        const Jump inner = {nextafter(time, 0.0), time, time, 0.0};
        assert_int_equal(JumpsAdd(&jumps, narrow), 0);
        assert_int_equal(JumpsAdd(&jumps, shifted), 0);
        assert_int_equal(JumpsAdd(&jumps, inner), 0);
        assert_int_equal(jumps.count, 1);
        ExpectJump(jumps.list, time, nextafter(time, 0.0), close, 1.0);
        Add(&jumps, far, KINKS);
        assert_int_equal(jumps.count, 2);
        ExpectJump(&jumps.list[1], far, far, far, 0.0);
        assert_int_equal(JumpsDestroy(&jumps), 0);
    }
}

static void TestOneTime(void **state)
{
    (void)state;
    assert_true(JumpsAreOneTime(0.0, 0.0));
    assert_false(JumpsAreOneTime(0.0, 1e-300));
    assert_true(JumpsAreOneTime(5.0, nextafter(5.0, 6.0)));
    assert_true(JumpsAreOneTime(-5.0, nextafter(-5.0, 6.0)));
    assert_false(JumpsAreOneTime(-5.0, 5.0));
    assert_false(JumpsAreOneTime(5.0, 5.0 * (1.0 + 2.0 * ENGRAM_TIME_RESOLUTION)));
}

/** Three echoes restart, three more are kinks; a kink has none, nor a network without delay. */
static void TestEchoes(void **state)
{
    (void)state;
    Jumps jumps = {.list = NULL};
    assert_int_equal(JumpsAddWithEchoes(&jumps, JumpOfTime(2.0, PETSC_TRUE), 0.25), 0);
    assert_int_equal(jumps.count, 7);
    for (int i = 0; i < 7; i++) {
        const double time = 2.0 + 0.25 * i;
        ExpectJump(&jumps.list[i], time, time, time, i <= 3);
    }
    assert_int_equal(JumpsAddWithEchoes(&jumps, JumpOfTime(9.0, PETSC_FALSE), 0.25), 0);
    assert_int_equal(JumpsAddWithEchoes(&jumps, JumpOfTime(10.0, PETSC_TRUE), 0.0), 0);
    assert_int_equal(jumps.count, 9);
    /* The first echo of this one comes with the last one above, and is stronger. */
    const Jump wide = {3.25, 3.25, nextafter(3.25, 4.0), 1.0};
    assert_int_equal(JumpsAddWithEchoes(&jumps, wide, 0.25), 0);
    assert_int_equal(jumps.count, 14);
    ExpectJump(JumpsAt(&jumps, 3.25), 3.25, 3.25, nextafter(3.25, 4.0), 1.0);
    ExpectJump(JumpsAt(&jumps, 3.5), 3.5, 3.5, 3.5, 1.0);
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

/** What steps ask, on an empty list and on one of kinks and restarts. */
static void TestQuestions(void **state)
{
    (void)state;
    const double close = 0.5 * ENGRAM_TIME_RESOLUTION;
    Jumps jumps = {.list = NULL};
    assert_null(JumpsAt(&jumps, 1.0));
    UNIT_ASSERT_SAME_BITS(JumpsNext(&jumps, 1.0), INFINITY);
    UNIT_ASSERT_SAME_BITS(JumpsLastRestart(&jumps, 1.0), -INFINITY);
    Add(&jumps, 1.0, KINKS);
    Add(&jumps, 2.0, RESTARTS);
    Add(&jumps, 3.0, KINKS);
    Add(&jumps, 4.0, RESTARTS);
    const double nexts[5] = {1.0, 2.0, 3.0, 4.0, INFINITY};
    const double restarts[5] = {-INFINITY, -INFINITY, 2.0, 2.0, 4.0};
    for (int i = 1; i <= 4; i++) {
        const double next = nexts[i];
        const double restart = restarts[i];
        for (int side = -1; side <= 1; side++) {
            const double time = i * (1.0 + side * close);
            UNIT_ASSERT_SAME_BITS(JumpsAt(&jumps, time)->time, i);
            UNIT_ASSERT_SAME_BITS(JumpsNext(&jumps, time), next);
            UNIT_ASSERT_SAME_BITS(JumpsLastRestart(&jumps, time), restart);
        }
        assert_null(JumpsAt(&jumps, i + 0.5));
        UNIT_ASSERT_SAME_BITS(JumpsNext(&jumps, i - 0.5), i);
        UNIT_ASSERT_SAME_BITS(JumpsNext(&jumps, i + 0.5), next);
        UNIT_ASSERT_SAME_BITS(JumpsLastRestart(&jumps, i + 0.5), restart);
    }
    UNIT_ASSERT_SAME_BITS(JumpsLastRestart(&jumps, 0.5), -INFINITY);
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

static void TestKeep(void **state)
{
    (void)state;
    Jumps jumps = {.list = NULL};
    for (int i = 0; i < 40; i++) {
        Add(&jumps, i, i % 3 == 0);
    }
    JumpsKeep(&jumps, -INFINITY, 30.0);
    assert_int_equal(jumps.count, 31);
    JumpsKeep(&jumps, 10.0, INFINITY);
    assert_int_equal(jumps.count, 21);
    for (int i = 0; i < 21; i++) {
        ExpectJump(&jumps.list[i], 10.0 + i, 10.0 + i, 10.0 + i, (10 + i) % 3 == 0);
    }
    JumpsKeep(&jumps, 1.0, -1.0);
    assert_int_equal(jumps.count, 0);
    Add(&jumps, 5.0, RESTARTS);
    UNIT_ASSERT_SAME_BITS(JumpsNext(&jumps, 0.0), 5.0);
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

static void TestRoom(void **state)
{
    (void)state;
    Jumps jumps = {.list = NULL};
    assert_int_equal(JumpsMakeRoom(&jumps, 1000), 0);
    assert_int_equal(jumps.count, 0);
    const Jump *list = jumps.list;
    for (int i = 0; i < 1000; i++) {
        Add(&jumps, i, RESTARTS);
    }
    assert_ptr_equal(jumps.list, list);
    assert_int_equal(JUMP_NUMBERS, 4);
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

enum { MOST_NAIVE = 4000 };

/** Jumps in the order in which they came. */
typedef struct Naive {
    Jump list[MOST_NAIVE];
    int count;
} Naive;

static void NaiveAdd(Naive *naive, Jump jump)
{
    for (int i = 0; i < naive->count; i++) {
        Jump *known = &naive->list[i];
        if (JumpsAreOneTime(known->time, jump.time)) {
            known->before = fmin(known->before, jump.before);
            known->after = fmax(known->after, jump.after);
            known->restarts = fmax(known->restarts, jump.restarts);
            return;
        }
    }
    naive->list[naive->count++] = jump;
}

/** All answers at a time are those of the list without order. */
static void ExpectNaiveAnswers(const Jumps *jumps, const Naive *naive, double time)
{
    double next = INFINITY;
    double restart = -INFINITY;
    const Jump *here = NULL;
    for (int i = 0; i < naive->count; i++) {
        const Jump *jump = &naive->list[i];
        const PetscBool is_here = JumpsAreOneTime(jump->time, time);
        here = is_here ? jump : here;
        next = jump->time > time && !is_here ? fmin(next, jump->time) : next;
        if (jump->restarts > 0.0 && (jump->time <= time || is_here)) {
            restart = fmax(restart, jump->time);
        }
    }
    UNIT_ASSERT_SAME_BITS(JumpsNext(jumps, time), next);
    UNIT_ASSERT_SAME_BITS(JumpsLastRestart(jumps, time), restart);
    if (here) {
        ExpectJump(JumpsAt(jumps, time), here->time, here->before, here->after, here->restarts);
    } else {
        assert_null(JumpsAt(jumps, time));
    }
}

/** A time of a lattice, or one that is not told apart from it. */
static double RandomTime(UnitRandom *random)
{
    const double lattice = 0.37 * (UnitRandomBelow(random, 3000) - 300);
    return lattice * (1.0 + ENGRAM_TIME_RESOLUTION * UnitRandomBetween(random, -0.45, 0.45));
}

/** Thousands of insertions, as a list without order has them. */
static void TestRandomInsertions(void **state)
{
    (void)state;
    static Naive naive;
    Jumps jumps = {.list = NULL};
    UnitRandom random = {17};
    naive.count = 0;
    for (int i = 0; i < MOST_NAIVE; i++) {
        const double time = RandomTime(&random);
        const double width = ENGRAM_TIME_RESOLUTION * fabs(time);
        const Jump jump = {time, time - UnitRandomBelow(&random, 3) * width,
                           time + UnitRandomBelow(&random, 3) * width,
                           UnitRandomBelow(&random, 3) == 0};
        assert_int_equal(JumpsAdd(&jumps, jump), 0);
        NaiveAdd(&naive, jump);
        assert_int_equal(jumps.count, naive.count);
        ExpectNaiveAnswers(&jumps, &naive, RandomTime(&random));
        ExpectNaiveAnswers(&jumps, &naive, UnitRandomBetween(&random, -120.0, 1010.0));
    }
    assert_true(jumps.count > 2000 && jumps.count <= jumps.capacity);
    for (PetscInt i = 0; i < jumps.count; i++) {
        assert_true(i == 0 || jumps.list[i - 1].time < jumps.list[i].time);
        ExpectNaiveAnswers(&jumps, &naive, jumps.list[i].time);
    }
    assert_int_equal(JumpsDestroy(&jumps), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOrder),     cmocka_unit_test(TestMerging),
        cmocka_unit_test(TestOneTime),   cmocka_unit_test(TestEchoes),
        cmocka_unit_test(TestQuestions), cmocka_unit_test(TestKeep),
        cmocka_unit_test(TestRoom),      cmocka_unit_test(TestRandomInsertions),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
