/* Stands in for the header of Catalyst 2: the few types and calls of it, and of Conduit, that the
 * back end uses. The test defines them and records what it is called with. */
#ifndef ENGRAM_TESTS_STAND_IN_CATALYST_H
#define ENGRAM_TESTS_STAND_IN_CATALYST_H

#include <stdint.h>

typedef struct conduit_node_impl conduit_node;
typedef int64_t conduit_int64;
typedef int64_t conduit_index_t;
typedef double conduit_float64;

enum catalyst_status { catalyst_status_ok = 0, catalyst_status_error_not_found = 3 };

conduit_node *conduit_node_create(void);
void conduit_node_destroy(conduit_node *node);
void conduit_node_set_path_char8_str(conduit_node *node, const char *path, const char *value);
void conduit_node_set_path_int64(conduit_node *node, const char *path, conduit_int64 value);
void conduit_node_set_path_float64(conduit_node *node, const char *path, conduit_float64 value);
void conduit_node_set_path_float64_ptr(conduit_node *node, const char *path, conduit_float64 *data,
                                       conduit_index_t count);
void conduit_node_set_path_external_float64_ptr(conduit_node *node, const char *path,
                                                conduit_float64 *data, conduit_index_t count);
enum catalyst_status catalyst_initialize(const conduit_node *params);
enum catalyst_status catalyst_execute(const conduit_node *params);
enum catalyst_status catalyst_finalize(const conduit_node *params);

#endif
