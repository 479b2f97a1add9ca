#include "engram/base/reduction.h"

#include <float.h>
#include <math.h>

#include "engram/base/error.h"
#include "engram/base/notice.h"

/* Digits of the exact sum that travel: few where all numbers of a sum are within some hundred bits
 * of each other, which a message below the 256 bytes that MPI sends fastest has room for. */
enum { NARROW, WIDE, FORMATS };
enum { NARROW_DIGITS = 12 };
static const int FORMAT_DIGITS[FORMATS] = {NARROW_DIGITS, ENGRAM_EXACT_SUM_DIGITS};

/** An entry as it travels. Digit k of the sum is digit[k % width]; the others are zero. */
typedef struct Message {
    double maximum;
    int32_t notices;
    int32_t is_nonfinite; /* the sum */
    int32_t begin; /* first digit, and the one behind the last: of all ranks together, even */
    int32_t end;   /* where these do not fit into the width and the digits mean nothing */
    int64_t digit[];
} Message;

struct EngramReduction {
    MPI_Comm comm; /* borrowed */
    MPI_Datatype types[FORMATS];
    MPI_Op operation;
    int format;    /* with which the last reduction would have done */
    int notices;   /* of the last reduction, of all ranks */
    char *message; /* of the wide format */
};

static size_t SizeOf(int format)
{
    return sizeof(Message) + (size_t)FORMAT_DIGITS[format] * sizeof(int64_t);
}

static int Fits(const Message *message, int width)
{
    return message->end - message->begin <= width;
}

static double LargerOf(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return NAN;
    }
    return a > b ? a : b;
}

static void Merge(int width, const Message *from, Message *to)
{
    to->maximum = LargerOf(to->maximum, from->maximum);
    to->notices |= from->notices;
    to->is_nonfinite |= from->is_nonfinite;
    to->begin = PetscMin(to->begin, from->begin);
    to->end = PetscMax(to->end, from->end);
    if (Fits(to, width)) {
        for (int k = from->begin; k < from->end; k++) {
            to->digit[k % width] += from->digit[k % width];
        }
    }
}

/* Signature given by MPI. */
static void CombineMessages(void *in, void *in_out, int *count, MPI_Datatype *type)
{
    const char *from = in;
    char *to = in_out;
    int size = 0;
    /* Of a type that exists: cannot fail. */
    (void)MPI_Type_size(*type, &size);
    const int width = (int)(((size_t)size - sizeof(Message)) / sizeof(int64_t));
    for (ptrdiff_t i = 0; i < *count; i++) {
        Merge(width, (const Message *)(from + i * size), (Message *)(to + i * size));
    }
}

static void Pack(int width, const EngramReductionEntry *entry, Message *message)
{
    const EngramExactSum *sum = &entry->sum;
    message->maximum = entry->maximum;
    message->notices = EngramNoticePosted();
    message->is_nonfinite = sum->nonfinite != 0;
    message->begin = (int32_t)sum->begin;
    message->end = (int32_t)sum->end;
    for (int k = 0; k < width; k++) {
        message->digit[k] = 0;
    }
    for (int64_t k = sum->begin; Fits(message, width) && k < sum->end; k++) {
        message->digit[k % width] = sum->digit[k];
    }
}

static void Unpack(int width, const Message *message, EngramReductionEntry *entry)
{
    EngramExactSum *sum = &entry->sum;
    for (int64_t k = sum->begin; k < sum->end; k++) {
        sum->digit[k] = 0;
    }
    entry->maximum = message->maximum;
    sum->nonfinite = message->is_nonfinite;
    sum->begin = message->begin;
    sum->end = message->end;
    for (int64_t k = sum->begin; k < sum->end; k++) {
        sum->digit[k] = message->digit[k % width];
    }
}

PetscErrorCode EngramReductionCreate(MPI_Comm comm, EngramReduction *reduction)
{
    PetscFunctionBeginUser;
    PetscCall(PetscNew(reduction));
    (*reduction)->comm = comm;
    for (int format = 0; format < FORMATS; format++) {
        MPI_Datatype *type = &(*reduction)->types[format];
        PetscCallMPI(MPI_Type_contiguous((int)SizeOf(format), MPI_BYTE, type));
        PetscCallMPI(MPI_Type_commit(type));
    }
    PetscCallMPI(MPI_Op_create(CombineMessages, 1, &(*reduction)->operation));
    PetscCall(PetscMalloc1(ENGRAM_REDUCTION_ENTRIES * SizeOf(WIDE), &(*reduction)->message));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramReductionEntryClear(EngramReductionEntry *entry)
{
    EngramExactSumClear(&entry->sum);
    entry->maximum = -DBL_MAX;
}

/** Reduces the entries in a format, if their sums over all ranks fit; else they stay as they are.
 */
static PetscErrorCode ApplyInFormat(EngramReduction reduction, int format, int count,
                                    EngramReductionEntry *entries, int *needed)
{
    const size_t size = SizeOf(format);
    const int width = FORMAT_DIGITS[format];
    PetscFunctionBeginUser;
    for (int i = 0; i < count; i++) {
        Pack(width, &entries[i], (Message *)(reduction->message + (size_t)i * size));
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, reduction->message, count, reduction->types[format],
                               reduction->operation, reduction->comm));
    *needed = NARROW;
    for (int i = 0; i < count; i++) {
        const Message *message = (const Message *)(reduction->message + (size_t)i * size);
        *needed = Fits(message, NARROW_DIGITS) ? *needed : WIDE;
    }
    for (int i = 0; *needed <= format && i < count; i++) {
        Unpack(width, (const Message *)(reduction->message + (size_t)i * size), &entries[i]);
    }
    reduction->notices = ((const Message *)reduction->message)->notices;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramReductionApply(EngramReduction reduction, int count,
                                    EngramReductionEntry *entries)
{
    int needed = NARROW;
    PetscFunctionBeginUser;
    PetscCheck(count <= ENGRAM_REDUCTION_ENTRIES, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "Too many entries");
    for (int i = 0; i < count; i++) {
        EngramExactSumNormalise(&entries[i].sum);
    }
    PetscCall(ApplyInFormat(reduction, reduction->format, count, entries, &needed));
    if (needed > reduction->format) {
        PetscCall(ApplyInFormat(reduction, WIDE, count, entries, &needed));
    }
    reduction->format = needed;
    PetscFunctionReturn(PETSC_SUCCESS);
}

int EngramReductionNotices(EngramReduction reduction)
{
    return reduction->notices;
}

PetscErrorCode EngramReductionDestroy(EngramReduction *reduction)
{
    PetscFunctionBeginUser;
    if (!*reduction) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (int format = 0; format < FORMATS; format++) {
        PetscCallMPI(MPI_Type_free(&(*reduction)->types[format]));
    }
    PetscCallMPI(MPI_Op_free(&(*reduction)->operation));
    PetscCall(PetscFree((*reduction)->message));
    PetscCall(PetscFree(*reduction));
    PetscFunctionReturn(PETSC_SUCCESS);
}
