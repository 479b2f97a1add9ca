/**
 * @file case_tree.h
 * The values of a case out of the tree that libyaml makes of its text.
 */
#ifndef ENGRAM_SRC_BASE_CASE_TREE_H
#define ENGRAM_SRC_BASE_CASE_TREE_H

#include <yaml.h>

#include "case_file.h"

/** Adds the values of a document with a root to a file. Not collective. Errors as CaseFileParse. */
PetscErrorCode CaseTreeTake(CaseFile *file, yaml_document_t *document);

/** A place as libyaml has it, which counts from 0. */
CasePlace CasePlaceOf(yaml_mark_t mark);

/** Reports a mistake in a text, with its place. @return ENGRAM_ERR_INPUT */
PetscErrorCode CaseRefuse(const CaseFile *file, CasePlace place, const char *format, ...)
    PETSC_ATTRIBUTE_FORMAT(3, 4);

#endif
