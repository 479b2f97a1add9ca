/**
 * The tree that the back end for Catalyst 2 hands over, as a recording stand-in of the few calls of
 * Conduit and Catalyst sees it.
 */
#include <catalyst.h>
#include <mpi.h>
#include <stdio.h>

#include "engram/insitu.h"
#include "unit_support.h"

enum { ENTRIES = 128, CELLS = 6, NODES = 4 };

/** What was set at a path. */
typedef struct Entry {
    char path[256];
    char text[256]; /* of a text */
    double number;  /* of a number, or the first of an array */
    const double *borrowed;
    int64_t count; /* of an array; 1 else */
} Entry;

struct conduit_node_impl {
    Entry entries[ENTRIES];
    int count;
};

static struct conduit_node_impl last; /* as it was when Catalyst was called */
static int nodes_alive;
static int calls;
static enum catalyst_status answer;

conduit_node *conduit_node_create(void)
{
    nodes_alive++;
    return calloc(1, sizeof(conduit_node));
}

void conduit_node_destroy(conduit_node *node)
{
    nodes_alive--;
    free(node);
}

static Entry *Add(conduit_node *node, const char *path)
{
    assert_true(node->count < ENTRIES);
    for (int i = 0; i < node->count; i++) {
        assert_string_not_equal(node->entries[i].path, path);
    }
    Entry *entry = &node->entries[node->count++];
    (void)snprintf(entry->path, sizeof(entry->path), "%s", path);
    entry->count = 1;
    return entry;
}

void conduit_node_set_path_char8_str(conduit_node *node, const char *path, const char *value)
{
    Entry *entry = Add(node, path);
    (void)snprintf(entry->text, sizeof(entry->text), "%s", value);
}

void conduit_node_set_path_int64(conduit_node *node, const char *path, conduit_int64 value)
{
    Add(node, path)->number = (double)value;
}

void conduit_node_set_path_float64(conduit_node *node, const char *path, conduit_float64 value)
{
    Add(node, path)->number = value;
}

void conduit_node_set_path_float64_ptr(conduit_node *node, const char *path, conduit_float64 *data,
                                       conduit_index_t count)
{
    Entry *entry = Add(node, path);
    entry->number = data[0];
    entry->count = count;
}

void conduit_node_set_path_external_float64_ptr(conduit_node *node, const char *path,
                                                conduit_float64 *data, conduit_index_t count)
{
    Entry *entry = Add(node, path);
    entry->number = data[0];
    entry->borrowed = data;
    entry->count = count;
}

static enum catalyst_status Record(const conduit_node *params)
{
    last = *params;
    calls++;
    return answer;
}

enum catalyst_status catalyst_initialize(const conduit_node *params)
{
    return Record(params);
}

enum catalyst_status catalyst_execute(const conduit_node *params)
{
    return Record(params);
}

enum catalyst_status catalyst_finalize(const conduit_node *params)
{
    return Record(params);
}

/** What the last call had at a path; fails if there was nothing. */
static const Entry *Find(const char *path)
{
    for (int i = 0; i < last.count; i++) {
        if (strcmp(last.entries[i].path, path) == 0) {
            return &last.entries[i];
        }
    }
    fail_msg("nothing at %s", path);
    return NULL;
}

static void ExpectText(const char *path, const char *text)
{
    assert_string_equal(Find(path)->text, text);
}

static void ExpectNumber(const char *path, double number)
{
    UNIT_ASSERT_SAME_BITS(Find(path)->number, number);
}

/** An array that is not copied. */
static void ExpectBorrowed(const char *path, const double *values, int64_t count)
{
    assert_ptr_equal(Find(path)->borrowed, values);
    assert_int_equal(Find(path)->count, count);
}

static const double w[CELLS + 1] = {0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0};
static const double v[NODES + 1] = {-3.0, -2.0, -1.0, 0.0, 1.0};
static const double nothing = 0.0;
static const double density[CELLS * NODES] = {1.0};
static const double content[CELLS] = {2.0};
static const double rate[CELLS] = {3.0};
static const double time_of_state = 0.7;
static const double range[2] = {-1.0, 4.0};
static double steering[ENGRAM_STEER_COUNT];

/** The cells 2 to 7 of 10, on which a rank is at work. */
static EngramInsituScene MakeScene(void)
{
    EngramInsituScene scene = {.step = 12, .time = 0.7, .channels = 2, .numbers = 2};
    const EngramInsituChannel plane = {.name = "density",
                                       .dimensions = 2,
                                       .cells = {10, NODES},
                                       .first = 2,
                                       .local = CELLS,
                                       .w = w,
                                       .v = v,
                                       .spacing = {0.25, 1.0},
                                       .fields = 1,
                                       .field = {{"density", (int64_t)CELLS * NODES, density}}};
    const EngramInsituChannel line = {
        .name = "weights",
        .dimensions = 1,
        .cells = {10, 1},
        .first = 2,
        .local = CELLS,
        .w = w,
        .v = &nothing,
        .spacing = {0.25, 1.0},
        .fields = 2,
        .field = {{"weight_density", CELLS, content}, {"firing_rate", CELLS, rate}}};
    scene.channel[0] = plane;
    scene.channel[1] = line;
    scene.number[0] = (EngramInsituArray){"time", 1, &time_of_state};
    scene.number[1] = (EngramInsituArray){"density_range", 2, range};
    scene.steering = steering;
    return scene;
}

static void TestStart(void **state)
{
    static const char *const scripts[] = {"a.py", "folder/b.py"};
    const EngramInsituSetup setup = {MPI_COMM_WORLD, 2, scripts, NULL};
    EngramInsituReport report = {.failures = 0};
    (void)state;
    const EngramInsituBackend *backend = EngramInsituGetBackend();
    assert_int_equal(backend->version, ENGRAM_INSITU_VERSION);
    assert_string_equal(backend->name, "catalyst");
    answer = catalyst_status_ok;
    assert_int_equal(backend->start(&setup, &report), 0);
    assert_int_equal(report.failures, 0);
    ExpectText("catalyst/scripts/script0", "a.py");
    ExpectText("catalyst/scripts/script1", "folder/b.py");
    ExpectNumber("catalyst/mpi_comm", (double)MPI_Comm_c2f(MPI_COMM_WORLD));
    assert_int_equal(last.count, 3);
    assert_int_equal(nodes_alive, 0);
}

static void Show(EngramInsituReport *report)
{
    const EngramInsituScene scene = MakeScene();
    memset(report, 0, sizeof(*report));
    EngramInsituGetBackend()->show(&scene, report);
    assert_int_equal(nodes_alive, 0);
}

static void TestState(void **state)
{
    EngramInsituReport report;
    (void)state;
    Show(&report);
    assert_int_equal(report.failures, 0);
    ExpectNumber("catalyst/state/timestep", 12.0);
    ExpectNumber("catalyst/state/cycle", 12.0);
    ExpectNumber("catalyst/state/time", 0.7);
}

/** The part of a rank lies where it belongs on axes that are the same for all. */
static void TestDensity(void **state)
{
    EngramInsituReport report;
    (void)state;
    Show(&report);
    ExpectText("catalyst/channels/density/type", "mesh");
#define MESH "catalyst/channels/density/data/"
    ExpectText(MESH "coordsets/coords/type", "uniform");
    ExpectNumber(MESH "coordsets/coords/dims/i", CELLS + 1);
    ExpectNumber(MESH "coordsets/coords/dims/j", NODES + 1);
    ExpectNumber(MESH "coordsets/coords/origin/x", 0.5);
    ExpectNumber(MESH "coordsets/coords/origin/y", -3.0);
    ExpectNumber(MESH "coordsets/coords/spacing/dx", 0.25);
    ExpectNumber(MESH "coordsets/coords/spacing/dy", 1.0);
    ExpectText(MESH "topologies/mesh/type", "uniform");
    ExpectText(MESH "topologies/mesh/coordset", "coords");
    ExpectNumber(MESH "topologies/mesh/elements/origin/i0", 2.0);
    ExpectNumber(MESH "topologies/mesh/elements/origin/j0", 0.0);
    ExpectText(MESH "fields/density/association", "element");
    ExpectText(MESH "fields/density/topology", "mesh");
    ExpectText(MESH "fields/density/volume_dependent", "false");
    ExpectBorrowed(MESH "fields/density/values", density, (int64_t)CELLS * NODES);
    ExpectNumber(MESH "state/fields/time", 0.7);
    ExpectNumber(MESH "state/fields/density_range", -1.0);
    assert_int_equal(Find(MESH "state/fields/density_range")->count, 2);
    ExpectBorrowed(MESH "state/fields/steering", steering, ENGRAM_STEER_COUNT);
    ExpectText(MESH "state/fields/steering_names",
               "steer_input_factor,insitu_every,output_fields_every,output_series_every,"
               "checkpoint_every,stop");
#undef MESH
}

/** Faces at different distances are handed over as they are, without a copy. */
static void TestRectilinear(void **state)
{
    EngramInsituReport report = {.failures = 0};
    EngramInsituScene scene = MakeScene();
    (void)state;
    scene.channel[0].spacing[1] = 0.0;
    scene.channel[1].spacing[0] = 0.0;
    EngramInsituGetBackend()->show(&scene, &report);
    assert_int_equal(nodes_alive, 0);
#define MESH "catalyst/channels/density/data/"
    ExpectText(MESH "coordsets/coords/type", "rectilinear");
    ExpectText(MESH "topologies/mesh/type", "rectilinear");
    ExpectBorrowed(MESH "coordsets/coords/values/x", w, CELLS + 1);
    ExpectBorrowed(MESH "coordsets/coords/values/y", v, NODES + 1);
    ExpectNumber(MESH "topologies/mesh/elements/origin/i0", 2.0);
    ExpectBorrowed(MESH "fields/density/values", density, (int64_t)CELLS * NODES);
#undef MESH
#define MESH "catalyst/channels/weights/data/"
    ExpectText(MESH "coordsets/coords/type", "rectilinear");
    ExpectBorrowed(MESH "coordsets/coords/values/x", w, CELLS + 1);
    for (int i = 0; i < last.count; i++) {
        assert_null(strstr(last.entries[i].path, MESH "coordsets/coords/values/y"));
        assert_null(strstr(last.entries[i].path, "dims/"));
    }
#undef MESH
}

/** A line has one axis, and fields of its own. */
static void TestWeights(void **state)
{
    EngramInsituReport report;
    int there = 0;
    (void)state;
    Show(&report);
#define MESH "catalyst/channels/weights/data/"
    ExpectNumber(MESH "coordsets/coords/dims/i", CELLS + 1);
    ExpectNumber(MESH "coordsets/coords/origin/x", 0.5);
    ExpectBorrowed(MESH "fields/weight_density/values", content, CELLS);
    ExpectBorrowed(MESH "fields/firing_rate/values", rate, CELLS);
    ExpectBorrowed(MESH "state/fields/steering", steering, ENGRAM_STEER_COUNT);
    for (int i = 0; i < last.count; i++) {
        there += strstr(last.entries[i].path, MESH "coordsets/coords/dims/j") != NULL;
        there += strstr(last.entries[i].path, MESH "coordsets/coords/origin/y") != NULL;
    }
    assert_int_equal(there, 0);
#undef MESH
}

/** A failure is counted every time and told of once. */
static void TestFailure(void **state)
{
    EngramInsituReport report;
    (void)state;
    answer = catalyst_status_error_not_found;
    Show(&report);
    assert_int_equal(report.failures, 1);
    assert_string_equal(report.text, "catalyst_execute has failed with status 3");
    Show(&report);
    assert_int_equal(report.failures, 1);
    assert_string_equal(report.text, "");
    answer = catalyst_status_ok;
    Show(&report);
    assert_int_equal(report.failures, 0);
}

static void TestStop(void **state)
{
    EngramInsituReport report = {.failures = 0};
    const int before = calls;
    (void)state;
    EngramInsituGetBackend()->stop(&report);
    assert_int_equal(calls, before + 1);
    assert_int_equal(report.failures, 0);
    assert_int_equal(nodes_alive, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestStart),   cmocka_unit_test(TestState),
        cmocka_unit_test(TestDensity), cmocka_unit_test(TestRectilinear),
        cmocka_unit_test(TestWeights), cmocka_unit_test(TestFailure),
        cmocka_unit_test(TestStop),
    };
    (void)MPI_Init(&argc, &argv);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)MPI_Finalize();
    return failed;
}
