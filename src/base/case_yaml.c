/* The text of a case file, and what is wrong with one that libyaml cannot read. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "case_tree.h"
#include "engram/base/error.h"

CasePlace CasePlaceOf(yaml_mark_t mark)
{
    return (CasePlace){(int)mark.line + 1, (int)mark.column + 1};
}

PetscErrorCode CaseRefuse(const CaseFile *file, CasePlace place, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return EngramInputError("%s:%d:%d: %s", file->path, place.line, place.column, text);
}

/* Bytes of UTF-8: the mark that some editors set at the beginning, and whether one begins a
 * character. */
static size_t MarkLength(const char *text, size_t length)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t size = sizeof(mark) - 1;
    return length >= size && memcmp(text, mark, size) == 0 ? size : 0;
}

static PetscBool BeginsCharacter(char byte)
{
    return (PetscBool)(((unsigned char)byte & 0xC0U) != 0x80U);
}

/** Place of a byte. */
static CasePlace PlaceAt(const char *text, size_t offset)
{
    CasePlace place = {1, 1};
    for (size_t i = MarkLength(text, offset); i < offset; i++) {
        if (text[i] == '\n') {
            place = (CasePlace){place.line + 1, 1};
        } else {
            place.column += BeginsCharacter(text[i]) ? 1 : 0;
        }
    }
    return place;
}

/** Byte of the i-th character. */
static size_t OffsetOf(const char *text, size_t length, size_t character)
{
    size_t count = 0;
    for (size_t i = MarkLength(text, length); i < length; i++) {
        count += BeginsCharacter(text[i]) ? 1 : 0;
        if (count > character) {
            return i;
        }
    }
    return length;
}

/** What libyaml would take for the end of the text, or read in another encoding. */
static PetscErrorCode CheckBytes(const CaseFile *file, const char *text, size_t length)
{
    PetscFunctionBeginUser;
    const PetscBool is_wide = (PetscBool)(length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 ||
                                                          memcmp(text, "\xFE\xFF", 2) == 0));
    if (is_wide) {
        PetscCall(CaseRefuse(file, (CasePlace){1, 1}, "text in UTF-16; save the file as UTF-8"));
    }
    const char *zero = length ? memchr(text, '\0', length) : NULL;
    if (zero) {
        PetscCall(CaseRefuse(file, PlaceAt(text, (size_t)(zero - text)),
                             "a NUL byte; a case file is text in UTF-8"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** In a text that ends too early: where that begins which has no end, or else the last word. */
static CasePlace PlaceOfBeginning(const yaml_parser_t *parser, const char *text, size_t length)
{
    if (parser->context && OffsetOf(text, length, parser->context_mark.index) < length) {
        return CasePlaceOf(parser->context_mark);
    }
    while (length > 0 && strchr(" \t\r\n", text[length - 1])) {
        length--;
    }
    return PlaceAt(text, length);
}

static PetscErrorCode RefuseSyntax(const CaseFile *file, const yaml_parser_t *parser,
                                   const char *text, size_t length)
{
    const char *hint = "";
    PetscFunctionBeginUser;
    PetscCheck(parser->problem, PETSC_COMM_SELF, PETSC_ERR_MEM, "libyaml has no memory left");
    if (parser->error == YAML_READER_ERROR) {
        PetscCall(CaseRefuse(file, PlaceAt(text, parser->problem_offset),
                             "not valid YAML: %s; a case file is text in UTF-8", parser->problem));
    }
    const size_t at = OffsetOf(text, length, parser->problem_mark.index);
    const char *context = parser->context ? parser->context : "";
    CasePlace place = CasePlaceOf(parser->problem_mark);
    if (at == length) {
        place = PlaceOfBeginning(parser, text, length);
        hint = "; the text ends before that";
    }
    if (at < length && text[at] == '\t') {
        hint = "; indent with blanks instead of a tab";
    } else if (strstr(parser->problem, "mapping values")) {
        hint = "; a value with a colon in it needs quotes";
    }
    PetscCall(CaseRefuse(file, place, "not valid YAML: %s%s%s%s", parser->problem,
                         context[0] ? " " : "", context, hint));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A document may be blank; one of them may have the case. */
static PetscErrorCode TakeDocument(CaseFile *file, yaml_document_t *document, PetscBool *is_taken)
{
    PetscFunctionBeginUser;
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (*is_taken) {
        PetscCall(CaseRefuse(file, CasePlaceOf(document->start_mark),
                             "a second document; a case file has one"));
    }
    *is_taken = PETSC_TRUE;
    PetscCall(CaseTreeTake(file, document));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeDocuments(CaseFile *file, yaml_parser_t *parser, const char *text,
                                    size_t length)
{
    yaml_document_t document;
    PetscBool is_taken = PETSC_FALSE;
    PetscBool is_end = PETSC_FALSE;
    PetscFunctionBeginUser;
    while (!is_end) {
        PetscErrorCode outcome = PETSC_SUCCESS;
        if (!yaml_parser_load(parser, &document)) {
            PetscCall(RefuseSyntax(file, parser, text, length));
        }
        is_end = (PetscBool)(yaml_document_get_root_node(&document) == NULL);
        if (!is_end) {
            outcome = TakeDocument(file, &document, &is_taken);
        }
        yaml_document_delete(&document);
        PetscCall(outcome);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CaseFileParse(CaseFile *file, const char *text, size_t length)
{
    yaml_parser_t parser;
    PetscFunctionBeginUser;
    PetscCall(CheckBytes(file, text, length));
    PetscCheck(yaml_parser_initialize(&parser), PETSC_COMM_SELF, PETSC_ERR_MEM,
               "libyaml has no memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    const PetscErrorCode outcome = TakeDocuments(file, &parser, text, length);
    yaml_parser_delete(&parser);
    PetscCall(outcome);
    PetscFunctionReturn(PETSC_SUCCESS);
}
