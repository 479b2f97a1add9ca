#include "input_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"

enum { MAXIMUM_COLUMNS = 3, ROOM = 1024 };

/* What spreadsheets put before a text in UTF-8. */
static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";

/** The rows of a file while they are read. */
typedef struct Rows {
    const char *source;
    char time;
    int columns;
    PetscInt line;
    PetscInt count;
    PetscInt room;
    double (*values)[MAXIMUM_COLUMNS];
    PetscInt *lines;
} Rows;

/** Takes the next line off a text, without blanks at its ends. @return NULL at the end */
static char *NextLine(char **rest)
{
    char *line = *rest;
    if (!line) {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : NULL;
    if (end) {
        *end = '\0';
    }
    while (isspace((unsigned char)*line)) {
        line++;
    }
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1])) {
        line[--length] = '\0';
    }
    return line;
}

/** The line of names says what the columns are. */
static PetscErrorCode ReadHead(const char *line, Rows *rows)
{
    static const struct {
        const char *names;
        char time;
        int columns;
    } known[] = {{"w,I", 0, 2}, {"t,w,I", 't', 3}, {"s,w,I", 's', 3}};
    char packed[32] = "";
    size_t length = 0;
    PetscFunctionBeginUser;
    for (const char *c = line; *c && length + 1 < sizeof(packed); c++) {
        if (!isspace((unsigned char)*c)) {
            packed[length++] = *c;
        }
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(packed, known[i].names) == 0) {
            rows->time = known[i].time;
            rows->columns = known[i].columns;
            PetscFunctionReturn(PETSC_SUCCESS);
        }
    }
    PetscCall(EngramInputError("%s: line %" PetscInt_FMT " is '%.40s'; it must name the columns: "
                               "w,I or t,w,I or s,w,I",
                               rows->source, rows->line, line));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeRoom(Rows *rows)
{
    PetscFunctionBeginUser;
    if (rows->count == rows->room) {
        rows->room = rows->room ? 2 * rows->room : ROOM;
        PetscCall(PetscRealloc(sizeof(*rows->values) * (size_t)rows->room, (void *)&rows->values));
        PetscCall(PetscRealloc(sizeof(*rows->lines) * (size_t)rows->room, (void *)&rows->lines));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadRow(const char *line, Rows *rows)
{
    const char *place = line;
    PetscFunctionBeginUser;
    PetscCall(MakeRoom(rows));
    for (int i = 0; i < rows->columns; i++) {
        char *end = NULL;
        const double value = strtod(place, &end);
        PetscBool is_good = (PetscBool)(end != place && isfinite(value));
        while (isspace((unsigned char)*end)) {
            end++;
        }
        is_good = (PetscBool)(is_good && *end == (i + 1 < rows->columns ? ',' : '\0'));
        if (!is_good) {
            PetscCall(EngramInputError("%s: line %" PetscInt_FMT " is '%.60s'; it must be %d "
                                       "finite numbers with commas between them",
                                       rows->source, rows->line, line, rows->columns));
        }
        rows->values[rows->count][i] = value;
        place = end + 1;
    }
    rows->lines[rows->count++] = rows->line;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadRows(char *text, Rows *rows)
{
    PetscFunctionBeginUser;
    for (char *line = NextLine(&text); line; line = NextLine(&text)) {
        rows->line++;
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (rows->columns == 0) {
            PetscCall(ReadHead(line, rows));
        } else {
            PetscCall(ReadRow(line, rows));
        }
    }
    if (rows->count == 0) {
        PetscCall(EngramInputError("%s: there are no numbers in it", rows->source));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Time of a row; all rows have the same one where the table has none. */
static double TimeOf(const Rows *rows, PetscInt row)
{
    return rows->time ? rows->values[row][0] : 0.0;
}

static double WeightOf(const Rows *rows, PetscInt row)
{
    return rows->values[row][rows->columns - 2];
}

/** What is wrong with the time and the weight of a row, or NULL. */
static const char *FaultOf(const Rows *rows, PetscInt row, PetscInt weights)
{
    const PetscInt column = row % weights;
    const PetscBool is_first_time = (PetscBool)(row < weights);
    if (column == 0 && !(TimeOf(rows, row) > TimeOf(rows, row - 1))) {
        return "times must ascend";
    }
    if (is_first_time && !(WeightOf(rows, row) > WeightOf(rows, row - 1))) {
        return "weights must ascend";
    }
    if ((column > 0 && TimeOf(rows, row) != TimeOf(rows, row - 1)) ||
        (!is_first_time && WeightOf(rows, row) != WeightOf(rows, column))) {
        return "each time must have the same weights as the first one";
    }
    return NULL;
}

/** Times ascend, and each has the weights of the first one, which ascend too. */
static PetscErrorCode CheckOrder(const Rows *rows, PetscInt weights)
{
    PetscFunctionBeginUser;
    for (PetscInt row = 1; row < rows->count; row++) {
        const char *fault = FaultOf(rows, row, weights);
        if (fault) {
            PetscCall(EngramInputError("%s: line %" PetscInt_FMT ": %s", rows->source,
                                       rows->lines[row], fault));
        }
    }
    if (rows->count % weights != 0) {
        PetscCall(EngramInputError("%s: line %" PetscInt_FMT ": the last time has %" PetscInt_FMT
                                   " of the %" PetscInt_FMT " weights of the first one",
                                   rows->source, rows->lines[rows->count - 1],
                                   rows->count % weights, weights));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeTable(const Rows *rows, InputTable *table)
{
    PetscInt weights = 1;
    PetscFunctionBeginUser;
    while (weights < rows->count && TimeOf(rows, weights) == TimeOf(rows, 0)) {
        weights++;
    }
    PetscCall(CheckOrder(rows, weights));
    table->time = rows->time;
    table->weights = weights;
    table->times = rows->count / weights;
    PetscCall(PetscMalloc3(table->times, &table->t, weights, &table->w, rows->count, &table->i));
    for (PetscInt row = 0; row < rows->count; row++) {
        table->t[row / weights] = TimeOf(rows, row);
        table->w[row % weights] = WeightOf(rows, row);
        table->i[row] = rows->values[row][rows->columns - 1];
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputTableParse(const char *source, char *text, InputTable *table)
{
    Rows rows = {.source = source};
    const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;
    PetscFunctionBeginUser;
    const PetscBool is_marked = (PetscBool)(strncmp(text, BYTE_ORDER_MARK, mark) == 0);
    PetscErrorCode code = ReadRows(is_marked ? text + mark : text, &rows);
    if (!code) {
        code = MakeTable(&rows, table);
    }
    PetscCall(PetscFree(rows.values));
    PetscCall(PetscFree(rows.lines));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The last of the points, all but the very last, that is not beyond x; the part of the way on. */
static PetscInt Locate(PetscInt count, const double *points, double x, double *part)
{
    PetscInt low = 0;
    PetscInt high = count - 1;
    *part = 0.0;
    if (count == 1 || !(x > points[0])) {
        return 0;
    }
    while (high - low > 1) {
        const PetscInt middle = low + (high - low) / 2;
        if (points[middle] <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *part = PetscMin((x - points[low]) / (points[high] - points[low]), 1.0);
    return low;
}

/** Between two numbers; exactly these at the ends. */
static double Between(double first, double second, double part)
{
    return part == 1.0 ? second : first + part * (second - first);
}

/** Between two neighbours of a row in w. */
static double InRow(const InputTable *table, PetscInt row, PetscInt place, double part)
{
    const double *values = table->i + row * table->weights + place;
    return part == 0.0 ? values[0] : Between(values[0], values[1], part);
}

void InputTableValues(const InputTable *table, double time, PetscInt count, const double *w,
                      double *values)
{
    double part = 0.0;
    const PetscInt row = Locate(table->times, table->t, time, &part);
    for (PetscInt i = 0; i < count; i++) {
        double across = 0.0;
        const PetscInt place = Locate(table->weights, table->w, w[i], &across);
        values[i] = InRow(table, row, place, across);
        if (part > 0.0) {
            values[i] = Between(values[i], InRow(table, row + 1, place, across), part);
        }
    }
}

PetscErrorCode InputTableDestroy(InputTable *table)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree3(table->t, table->w, table->i));
    PetscFunctionReturn(PETSC_SUCCESS);
}
