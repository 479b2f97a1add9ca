/* Counts what a program sends, by MPI's profiling interface. Loaded before the program's libraries
 * (LD_PRELOAD), it writes one line a rank at the end to the file $ENGRAM_MESSAGE_COUNTS.RANK:
 * reductions, their bytes, messages of persistent sends, their bytes, other collective calls. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAXIMUM_REQUESTS = 64, MAXIMUM_NAME = 4096 };

/** A persistent send to another rank. */
typedef struct Send {
    MPI_Request request;
    long long bytes;
} Send;

static Send sends[MAXIMUM_REQUESTS];
static int known;
static long long reductions;
static long long reduced_bytes;
static long long messages;
static long long sent_bytes;
static long long others;

static long long BytesOf(int count, MPI_Datatype type)
{
    int size = 0;
    (void)PMPI_Type_size(type, &size);
    return (long long)count * size;
}

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op operation,
                  MPI_Comm comm)
{
    reductions++;
    reduced_bytes += BytesOf(count, type);
    return PMPI_Allreduce(from, to, count, type, operation, comm);
}

int MPI_Send_init(const void *buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                  MPI_Request *request)
{
    const int code = PMPI_Send_init(buffer, count, type, to, tag, comm, request);
    if (code == MPI_SUCCESS && to != MPI_PROC_NULL && known < MAXIMUM_REQUESTS) {
        sends[known++] = (Send){*request, BytesOf(count, type)};
    }
    return code;
}

int MPI_Startall(int count, MPI_Request requests[])
{
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < known; k++) {
            if (sends[k].request == requests[i]) {
                messages++;
                sent_bytes += sends[k].bytes;
            }
        }
    }
    return PMPI_Startall(count, requests);
}

int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    others++;
    return PMPI_Bcast(buffer, count, type, root, comm);
}

int MPI_Barrier(MPI_Comm comm)
{
    others++;
    return PMPI_Barrier(comm);
}

int MPI_Gather(const void *from, int count, MPI_Datatype type, void *to, int to_count,
               MPI_Datatype to_type, int root, MPI_Comm comm)
{
    others++;
    return PMPI_Gather(from, count, type, to, to_count, to_type, root, comm);
}

int MPI_Alltoallv(const void *from, const int counts[], const int places[], MPI_Datatype type,
                  void *to, const int to_counts[], const int to_places[], MPI_Datatype to_type,
                  MPI_Comm comm)
{
    others++;
    return PMPI_Alltoallv(from, counts, places, type, to, to_counts, to_places, to_type, comm);
}

static void WriteCounts(const char *name)
{
    char path[MAXIMUM_NAME];
    int rank = 0;
    (void)PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)snprintf(path, sizeof(path), "%s.%d", name, rank);
    FILE *file = fopen(path, "w");
    if (file) {
        (void)fprintf(file, "%lld %lld %lld %lld %lld\n", reductions, reduced_bytes, messages,
                      sent_bytes, others);
        (void)fclose(file);
    }
}

int MPI_Finalize(void)
{
    const char *name = getenv("ENGRAM_MESSAGE_COUNTS");
    if (name) {
        WriteCounts(name);
    }
    return PMPI_Finalize();
}
