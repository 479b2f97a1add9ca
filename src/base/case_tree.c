#include "case_tree.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engram/base/error.h"
#include "engram/base/options.h"

/* Groups inside each other, and keys with those that aliases repeat: no case comes near. */
enum { DEEPEST = 20, MAXIMUM_KEYS = 4096 };

static const char MERGE[] = "<<";
static const char ANCHORS[] = "$$";
static const char PLAIN_TAGS[] = "tag:yaml.org,2002:";

/** A way through the groups of a document. */
typedef struct Walk {
    CaseFile *file;
    yaml_document_t *document;
    const yaml_node_t *groups[DEEPEST]; /* from the root to the present one */
    int depth;
    int layer;
    int layers;
    int keys;
} Walk;

static CasePlace PlaceOfNode(const yaml_node_t *node)
{
    return CasePlaceOf(node->start_mark);
}

static const yaml_node_t *NodeAt(const Walk *walk, int index)
{
    return yaml_document_get_node(walk->document, index);
}

static const char *TextOf(const yaml_node_t *scalar)
{
    return (const char *)scalar->data.scalar.value;
}

static PetscBool IsScalar(const yaml_node_t *node)
{
    return (PetscBool)(node->type == YAML_SCALAR_NODE);
}

static PetscBool IsGroup(const yaml_node_t *node)
{
    return (PetscBool)(node->type == YAML_MAPPING_NODE);
}

static PetscBool IsMerge(const yaml_node_t *key)
{
    return (PetscBool)(strcmp(TextOf(key), MERGE) == 0);
}

/** Whether a key is only there for the anchors below it. */
static PetscBool IsForAnchors(const yaml_node_t *key)
{
    return (PetscBool)(strncmp(TextOf(key), ANCHORS, sizeof(ANCHORS) - 1) == 0);
}

/** A value means what stands there; another tag than those of plain YAML would say otherwise. */
static PetscErrorCode CheckNode(const Walk *walk, const yaml_node_t *node)
{
    PetscFunctionBeginUser;
    const char *tag = (const char *)node->tag;
    if (tag && strcmp(tag, "!") != 0 && strncmp(tag, PLAIN_TAGS, sizeof(PLAIN_TAGS) - 1) != 0) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(node), "the tag %s means nothing here", tag));
    }
    if (IsScalar(node) && strlen(TextOf(node)) != node->data.scalar.length) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(node), "a NUL character in a value"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CountKey(Walk *walk, const yaml_node_t *node)
{
    PetscFunctionBeginUser;
    if (++walk->keys > MAXIMUM_KEYS) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(node),
                             "more than %d keys, with those that aliases repeat",
                             (int)MAXIMUM_KEYS));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Enter(Walk *walk, const yaml_node_t *group)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < walk->depth; i++) {
        if (walk->groups[i] == group) {
            PetscCall(
                CaseRefuse(walk->file, PlaceOfNode(group), "an anchor on what contains itself"));
        }
    }
    if (walk->depth == DEEPEST) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(group),
                             "more than %d groups inside each other", (int)DEEPEST));
    }
    PetscCall(CountKey(walk, group));
    walk->groups[walk->depth++] = group;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The name that a key has below a prefix: that of an option, or the prefix of a group. */
static PetscErrorCode JoinName(const Walk *walk, const char *prefix, const yaml_node_t *key,
                               const char *ending, char name[PETSC_MAX_OPTION_NAME])
{
    PetscFunctionBeginUser;
    const int length = snprintf(name, PETSC_MAX_OPTION_NAME, "%s%s%s", prefix, TextOf(key), ending);
    /* PETSC's names begin with a dash. */
    if (length >= PETSC_MAX_OPTION_NAME - 1) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(key),
                             "unknown option -%.32s...: no name has %d "
                             "letters",
                             name, length));
    }
    if (!isalpha((unsigned char)name[0]) && name[0] != '_') {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(key),
                             "'%s' is no name of an option; it must begin with a letter",
                             TextOf(key)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A key is a text, and stands once in its group. */
static PetscErrorCode CheckKey(Walk *walk, const char *prefix, const yaml_node_t *group,
                               const yaml_node_pair_t *pair)
{
    PetscFunctionBeginUser;
    const yaml_node_t *key = NodeAt(walk, pair->key);
    PetscCall(CountKey(walk, key));
    if (!IsScalar(key)) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(key),
                             "a list or a group where the name of an option is expected"));
    }
    PetscCall(CheckNode(walk, key));
    PetscCall(CheckNode(walk, NodeAt(walk, pair->value)));
    for (const yaml_node_pair_t *other = group->data.mapping.pairs.start; other < pair; other++) {
        const yaml_node_t *known = NodeAt(walk, other->key);
        if (strcasecmp(TextOf(known), TextOf(key)) == 0) {
            PetscCall(CaseRefuse(walk->file, PlaceOfNode(key),
                                 "%s%s%s: stands here for the second time, after line %d; %s",
                                 IsGroup(NodeAt(walk, pair->value)) ? "" : "-", prefix, TextOf(key),
                                 PlaceOfNode(known).line,
                                 IsGroup(NodeAt(walk, pair->value)) ? "put both together"
                                                                    : "leave one out"));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddValue(const Walk *walk, const char *name, const char *text,
                               const yaml_node_t *key, const yaml_node_t *value)
{
    PetscFunctionBeginUser;
    const CaseValue *known = CaseFileFind(walk->file, name);
    if (known && known->layer == walk->layer) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(key),
                             "-%s: stands here for the second time, after line %d; leave one out",
                             name, known->key.line));
    }
    if (!known) {
        PetscCall(
            CaseFileAdd(walk->file, name, text, PlaceOfNode(key), PlaceOfNode(value), walk->layer));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The items of a list with commas between them; what is too long stays too long for an option. */
static PetscErrorCode JoinList(const Walk *walk, const char *name, const yaml_node_t *list,
                               char text[ENGRAM_OPTION_LENGTH])
{
    PetscFunctionBeginUser;
    text[0] = '\0';
    for (const int *at = list->data.sequence.items.start; at < list->data.sequence.items.top;
         at++) {
        const yaml_node_t *item = NodeAt(walk, *at);
        if (!IsScalar(item) || TextOf(item)[0] == '\0') {
            PetscCall(CaseRefuse(walk->file, PlaceOfNode(item),
                                 "-%s: an item of the list is %s; it must be a text or a number",
                                 name, IsScalar(item) ? "blank" : "a list or a group"));
        }
        PetscCall(CheckNode(walk, item));
        /* Older PetscStrlcat write one zero too far. */
        const size_t length = strlen(text);
        (void)snprintf(text + length, ENGRAM_OPTION_LENGTH - length, "%s%s", length ? "," : "",
                       TextOf(item));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeGroup(Walk *walk, const yaml_node_t *group, const char *prefix);

/** Value, list or group of a key. */
static PetscErrorCode TakeValue(Walk *walk, const char *prefix, const yaml_node_t *key,
                                const yaml_node_t *value)
{
    char name[PETSC_MAX_OPTION_NAME];
    char text[ENGRAM_OPTION_LENGTH];
    PetscFunctionBeginUser;
    PetscCall(JoinName(walk, prefix, key, IsGroup(value) ? "_" : "", name));
    if (IsGroup(value)) {
        PetscCall(TakeGroup(walk, value, name));
    } else if (IsScalar(value)) {
        PetscCall(AddValue(walk, name, TextOf(value), key, value));
    } else {
        PetscCall(JoinList(walk, name, value, text));
        PetscCall(AddValue(walk, name, text, key, value));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What a group and those in it have themselves. */
static PetscErrorCode TakeGroup(Walk *walk, const yaml_node_t *group, const char *prefix)
{
    PetscFunctionBeginUser;
    PetscCall(Enter(walk, group));
    for (const yaml_node_pair_t *pair = group->data.mapping.pairs.start;
         pair < group->data.mapping.pairs.top; pair++) {
        PetscCall(CheckKey(walk, prefix, group, pair));
        const yaml_node_t *key = NodeAt(walk, pair->key);
        if (!IsMerge(key) && !IsForAnchors(key)) {
            PetscCall(TakeValue(walk, prefix, key, NodeAt(walk, pair->value)));
        }
    }
    walk->depth--;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeMerges(Walk *walk, const yaml_node_t *group, const char *prefix);

static PetscErrorCode Merge(Walk *walk, const yaml_node_t *group, const char *prefix)
{
    PetscFunctionBeginUser;
    if (!IsGroup(group)) {
        PetscCall(CaseRefuse(walk->file, PlaceOfNode(group),
                             "<< merges groups that have an anchor, as in <<: *name"));
    }
    walk->layer = ++walk->layers;
    PetscCall(TakeGroup(walk, group, prefix));
    PetscCall(TakeMerges(walk, group, prefix));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What a group and those in it merge, the inner ones first. What is there already stays. */
static PetscErrorCode TakeMerges(Walk *walk, const yaml_node_t *group, const char *prefix)
{
    const yaml_node_pair_t *const begin = group->data.mapping.pairs.start;
    const yaml_node_pair_t *const end = group->data.mapping.pairs.top;
    PetscFunctionBeginUser;
    PetscCall(Enter(walk, group));
    for (const yaml_node_pair_t *pair = begin; pair < end; pair++) {
        char name[PETSC_MAX_OPTION_NAME];
        const yaml_node_t *key = NodeAt(walk, pair->key);
        const yaml_node_t *value = NodeAt(walk, pair->value);
        if (IsGroup(value) && !IsMerge(key) && !IsForAnchors(key)) {
            PetscCall(JoinName(walk, prefix, key, "_", name));
            PetscCall(TakeMerges(walk, value, name));
        }
    }
    for (const yaml_node_pair_t *pair = begin; pair < end; pair++) {
        const yaml_node_t *value = NodeAt(walk, pair->value);
        if (!IsMerge(NodeAt(walk, pair->key))) {
            continue;
        }
        if (value->type != YAML_SEQUENCE_NODE) {
            PetscCall(Merge(walk, value, prefix));
            continue;
        }
        for (const int *at = value->data.sequence.items.start; at < value->data.sequence.items.top;
             at++) {
            PetscCall(Merge(walk, NodeAt(walk, *at), prefix));
        }
    }
    walk->depth--;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CaseTreeTake(CaseFile *file, yaml_document_t *document)
{
    Walk walk = {.file = file, .document = document};
    PetscFunctionBeginUser;
    const yaml_node_t *root = yaml_document_get_root_node(document);
    PetscCall(CheckNode(&walk, root));
    if (!IsGroup(root)) {
        PetscCall(CaseRefuse(file, PlaceOfNode(root),
                             "%s where options are expected, as in model_noise: 1",
                             IsScalar(root) ? "a single text" : "a list"));
    }
    PetscCall(TakeGroup(&walk, root, ""));
    PetscCall(TakeMerges(&walk, root, ""));
    PetscFunctionReturn(PETSC_SUCCESS);
}
