/**
 * @file refusal_support.h
 * A small case with words of a command line, tried in this process up to its initial state:
 * accepted, or refused with one message.
 */
#ifndef ENGRAM_TESTS_REFUSAL_SUPPORT_H
#define ENGRAM_TESTS_REFUSAL_SUPPORT_H

#include "petsc_support.h"

#include <stdio.h>
#include <unistd.h>

#include "command_line.h"
#include "engram/app/simulation.h"
#include "engram/base/log.h"

/** Words of a command line. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { MOST_WORDS = 8 };

static char refusal_path[] = "/tmp/engram_unit_XXXXXX";

/* Runs; the words of each test are added. */
static const char CASE[] =
    "model: {noise: 1, epsilon: 0.1, input: '1', response: N/(1 + N), learning: '1'}\n"
    "initial_density: exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)\n"
    "grid: {v_cells: 60, w_cells: 20}\n"
    "time_end: 0.1\n"
    "time_step: 0.01\n";

/** Reads a case and words, and makes everything up to the initial state. */
static inline PetscErrorCode SetUp(const char *text, int count, char **words)
{
    EngramOptions options = NULL;
    EngramSimulation simulation = {.options = NULL};
    EngramOutputParameters output;
    FILE *stream = fopen(refusal_path, "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(PetscOptionsClear(NULL), 0);
    assert_int_equal(EngramOptionsCreate(&options), 0);
    assert_int_equal(EngramSimulationRegisterOptions(options), 0);
    assert_int_equal(EngramOptionsRegisterCommands(options, &CommandLineOptions), 0);
    EngramMessagesSilence(PETSC_TRUE);
    EngramErrorMessageKeep("");
    PetscErrorCode code = EngramOptionsLoad(options, refusal_path, count, words);
    if (!code) {
        code = EngramOutputParametersGet(options, &output);
    }
    if (!code) {
        code = EngramSimulationSetUp(PETSC_COMM_WORLD, options, &simulation);
    }
    if (!code) {
        code = EngramSimulationStart(&simulation);
    }
    EngramMessagesSilence(PETSC_FALSE);
    assert_int_equal(EngramSimulationDestroy(&simulation), 0);
    assert_int_equal(EngramOptionsDestroy(&options), 0);
    return code;
}

/** Tries a case with words, up to NULL. */
static inline PetscErrorCode TryWords(const char *text, const char *const words[])
{
    static char copies[MOST_WORDS][512];
    char *arguments[MOST_WORDS + 3] = {copies[0], refusal_path};
    int count = 2;
    (void)snprintf(copies[0], sizeof(copies[0]), "engram");
    for (int i = 0; i < MOST_WORDS - 1 && words[i]; i++) {
        (void)snprintf(copies[i + 1], sizeof(copies[0]), "%s", words[i]);
        arguments[count++] = copies[i + 1];
    }
    assert_true(count < MOST_WORDS + 2);
    arguments[count] = NULL;
    return SetUp(text, count, arguments);
}

static inline void ExpectCase(const char *text, const char *const words[], const char *first,
                              const char *second)
{
    const PetscErrorCode code = TryWords(text, words);
    const char *message = EngramErrorMessage();
    const char *name = words[0] ? words[0] : text;
    const char *value = words[0] && words[1] ? words[1] : "";
    if (code != (PetscErrorCode)ENGRAM_ERR_INPUT) {
        fail_msg("%s %s is not refused: code %d", name, value, (int)code);
    }
    if (!strstr(message, first) || !strstr(message, second)) {
        fail_msg("%s %s is refused by\n%s\nnot by\n%s ... %s", name, value, message, first, second);
    }
}

/** The case with these words is refused; two parts of the message. */
static inline void ExpectWords(const char *const words[], const char *first, const char *second)
{
    ExpectCase(CASE, words, first, second);
}

/** An option with this value is refused by "-option value: reason". */
static inline void Expect(const char *option, const char *value, const char *reason)
{
    char words[2][512];
    char first[1100];
    (void)snprintf(words[0], sizeof(words[0]), "-%s", option);
    (void)snprintf(words[1], sizeof(words[1]), "%s", value);
    (void)snprintf(first, sizeof(first), "-%s %s: %s", option, value, reason);
    ExpectWords(WORDS(words[0], words[1]), first, "");
}

/** An expression is refused, with its text in quotes. */
static inline void ExpectExpression(const char *option, const char *value, const char *reason)
{
    char words[2][512];
    char first[1100];
    (void)snprintf(words[0], sizeof(words[0]), "-%s", option);
    (void)snprintf(words[1], sizeof(words[1]), "%s", value);
    (void)snprintf(first, sizeof(first), "-%s \"%s\"", option, value);
    ExpectWords(WORDS(words[0], words[1]), first, reason);
}

static inline void Accept(const char *const words[])
{
    if (TryWords(CASE, words)) {
        fail_msg("%s %s is refused: %s", words[0], words[1], EngramErrorMessage());
    }
}

static inline int StartRefusals(void **state)
{
    const int file = mkstemp(refusal_path);
    return file < 0 || close(file) || StartPetsc(state) || EngramLogRegister() ||
           EngramSliceSolverRegister();
}

static inline int StopRefusals(void **state)
{
    (void)remove(refusal_path);
    return StopPetsc(state);
}

#endif
