#include "blueprint.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_PATH = 256 };

/* Names of the one set of coordinates and the one topology of a mesh. */
#define COORDINATES "coords"
#define TOPOLOGY "mesh"

/** A place in the tree to which names are added. */
typedef struct Place {
    conduit_node *root;
    char path[LONGEST_PATH];
} Place;

static Place At(conduit_node *root, const char *path)
{
    Place place = {.root = root};
    (void)snprintf(place.path, sizeof(place.path), "%s", path);
    return place;
}

/** The place below another one. */
static Place Below(const Place *place, const char *name)
{
    Place below = *place;
    const size_t length = strlen(below.path);
    (void)snprintf(below.path + length, sizeof(below.path) - length, "/%s", name);
    return below;
}

static void SetText(const Place *place, const char *name, const char *text)
{
    const Place at = Below(place, name);
    conduit_node_set_path_char8_str(at.root, at.path, text);
}

static void SetWhole(const Place *place, const char *name, int64_t value)
{
    const Place at = Below(place, name);
    conduit_node_set_path_int64(at.root, at.path, (conduit_int64)value);
}

static void SetReal(const Place *place, const char *name, double value)
{
    const Place at = Below(place, name);
    conduit_node_set_path_float64(at.root, at.path, value);
}

/** An array that the node only points to. The interface knows no constant arrays. */
static void Borrow(const Place *place, const char *name, int64_t count, const double *values)
{
    const Place at = Below(place, name);
    conduit_node_set_path_external_float64_ptr(at.root, at.path, (conduit_float64 *)values,
                                               (conduit_index_t)count);
}

static void Copy(const Place *place, const EngramInsituArray *array)
{
    const Place at = Below(place, array->name);
    conduit_node_set_path_float64_ptr(at.root, at.path, (conduit_float64 *)array->values,
                                      (conduit_index_t)array->count);
}

void EngramBlueprintStart(const EngramInsituSetup *setup, conduit_node *root)
{
    char name[32];
    const Place scripts = At(root, "catalyst/scripts");
    const Place top = At(root, "catalyst");
    for (int i = 0; i < setup->scripts; i++) {
        (void)snprintf(name, sizeof(name), "script%d", i);
        SetText(&scripts, name, setup->script[i]);
    }
    SetWhole(&top, "mpi_comm", (int64_t)MPI_Comm_c2f(setup->comm));
}

/** Axis number `axis` of this rank: points, position of the first one, distance. */
static void SetUniformAxis(const EngramInsituChannel *channel, int axis, const Place *coordinates)
{
    static const char *const dims[] = {"dims/i", "dims/j"};
    static const char *const origins[] = {"origin/x", "origin/y"};
    static const char *const spacings[] = {"spacing/dx", "spacing/dy"};
    const int64_t cells = axis == 0 ? channel->local : channel->cells[1];
    const double *faces = axis == 0 ? channel->w : channel->v;
    SetWhole(coordinates, dims[axis], cells + 1);
    SetReal(coordinates, origins[axis], faces[0]);
    SetReal(coordinates, spacings[axis], channel->spacing[axis]);
}

/** Axis number `axis` of this rank by all of its points. */
static void SetFaces(const EngramInsituChannel *channel, int axis, const Place *coordinates)
{
    if (axis == 0) {
        Borrow(coordinates, "values/x", channel->local + 1, channel->w);
    } else {
        Borrow(coordinates, "values/y", channel->cells[1] + 1, channel->v);
    }
}

/** Whether no axis has faces at different distances. */
static int IsUniform(const EngramInsituChannel *channel)
{
    return channel->spacing[0] > 0.0 && (channel->dimensions < 2 || channel->spacing[1] > 0.0);
}

static void SetMesh(const EngramInsituChannel *channel, const Place *mesh)
{
    const Place coordinates = Below(mesh, "coordsets/" COORDINATES);
    const Place topology = Below(mesh, "topologies/" TOPOLOGY);
    const int is_uniform = IsUniform(channel);
    SetText(&coordinates, "type", is_uniform ? "uniform" : "rectilinear");
    SetText(&topology, "type", is_uniform ? "uniform" : "rectilinear");
    SetText(&topology, "coordset", COORDINATES);
    for (int axis = 0; axis < 2 && axis < channel->dimensions; axis++) {
        (is_uniform ? SetUniformAxis : SetFaces)(channel, axis, &coordinates);
    }
    SetWhole(&topology, "elements/origin/i0", channel->first);
    if (channel->dimensions > 1) {
        SetWhole(&topology, "elements/origin/j0", 0);
    }
}

static void SetField(const EngramInsituArray *array, const Place *mesh)
{
    const Place fields = Below(mesh, "fields");
    const Place field = Below(&fields, array->name);
    SetText(&field, "association", "element");
    SetText(&field, "topology", TOPOLOGY);
    SetText(&field, "volume_dependent", "false");
    Borrow(&field, "values", array->count, array->values);
}

/** Numbers and texts that belong to no cell. */
static void SetFieldData(const EngramInsituScene *scene, const Place *mesh)
{
    static const char *const names[ENGRAM_STEER_COUNT] = ENGRAM_STEERING_NAMES;
    char text[512] = "";
    const Place fields = Below(mesh, "state/fields");
    for (int i = 0; i < scene->numbers; i++) {
        Copy(&fields, &scene->number[i]);
    }
    Borrow(&fields, "steering", ENGRAM_STEER_COUNT, scene->steering);
    for (int i = 0; i < ENGRAM_STEER_COUNT; i++) {
        const size_t length = strlen(text);
        (void)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? "," : "", names[i]);
    }
    SetText(&fields, "steering_names", text);
}

void EngramBlueprintShow(const EngramInsituScene *scene, conduit_node *root)
{
    const Place state = At(root, "catalyst/state");
    const Place channels = At(root, "catalyst/channels");
    SetWhole(&state, "timestep", scene->step);
    SetWhole(&state, "cycle", scene->step);
    SetReal(&state, "time", scene->time);
    for (int i = 0; i < scene->channels; i++) {
        const EngramInsituChannel *shown = &scene->channel[i];
        const Place channel = Below(&channels, shown->name);
        const Place mesh = Below(&channel, "data");
        SetText(&channel, "type", "mesh");
        SetMesh(shown, &mesh);
        for (int f = 0; f < shown->fields; f++) {
            SetField(&shown->field[f], &mesh);
        }
        SetFieldData(scene, &mesh);
    }
}
