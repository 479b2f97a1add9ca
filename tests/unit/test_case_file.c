/**
 * The reader of case files: names, values and places of what YAML allows, and a refusal with a
 * place inside the text for everything else, whatever its bytes are.
 */
#include "petsc_support.h"

#include <stdio.h>

#include "case_file.h"

enum { LONG_TEXT = 1 << 20 };

/** Parses a text; what a refusal says stays in EngramErrorMessage(). */
static PetscErrorCode Parse(const char *text, size_t length, CaseFile *file)
{
    *file = (CaseFile){.path = "case.yaml"};
    EngramMessagesSilence(PETSC_TRUE);
    const PetscErrorCode outcome = CaseFileParse(file, text, length);
    EngramMessagesSilence(PETSC_FALSE);
    return outcome;
}

static void Destroy(CaseFile *file)
{
    assert_int_equal(CaseFileDestroy(file), 0);
}

/** The values of a text in a line of their own, as name=value@line:column, with blanks between. */
static void ExpectValues(const char *text, const char *expected)
{
    char found[4096] = "";
    CaseFile file;
    if (Parse(text, strlen(text), &file)) {
        fail_msg("%s\nis refused: %s", text, EngramErrorMessage());
    }
    for (int i = 0; i < file.count; i++) {
        const CaseValue *value = &file.values[i];
        const size_t length = strlen(found);
        (void)snprintf(found + length, sizeof(found) - length, "%s%s=%s@%d:%d", i ? " " : "",
                       value->name, value->text, value->place.line, value->place.column);
    }
    Destroy(&file);
    assert_string_equal(found, expected);
}

static void ExpectRefusalOf(const char *text, size_t length, const char *beginning)
{
    CaseFile file;
    const PetscErrorCode outcome = Parse(text, length, &file);
    Destroy(&file);
    if (outcome != (PetscErrorCode)ENGRAM_ERR_INPUT) {
        fail_msg("%.200s\nis not refused: %d", text, (int)outcome);
    }
    if (strncmp(EngramErrorMessage(), beginning, strlen(beginning)) != 0) {
        fail_msg("%.200s\nis refused by\n%s\nnot by\n%s", text, EngramErrorMessage(), beginning);
    }
}

static void ExpectRefusal(const char *text, const char *beginning)
{
    ExpectRefusalOf(text, strlen(text), beginning);
}

static void TestNamesAndPlaces(void **state)
{
    (void)state;
    ExpectValues("", "");
    ExpectValues("# nothing\n\n", "");
    ExpectValues("---\n", "");
    ExpectValues("model_noise: 1\n", "model_noise=1@1:14");
    ExpectValues("model_noise: 1", "model_noise=1@1:14");
    ExpectValues("model: {noise: 1, input: \"w + t\"}\n",
                 "model_noise=1@1:16 model_input=w + t@1:26");
    ExpectValues("grid:\n  w:\n    min: -1\n    max: 2\n", "grid_w_min=-1@3:10 grid_w_max=2@4:10");
    ExpectValues("a: 1e400\nb: yes\nc: null\nd: ~\ne: 0x10\nf: .inf\n",
                 "a=1e400@1:4 b=yes@2:4 c=null@3:4 d=~@4:4 e=0x10@5:4 f=.inf@6:4");
    ExpectValues("a:\nb: ''\n", "a=@1:3 b=@2:4");
    ExpectValues("protocol: {phases: [learn, rest]}\n", "protocol_phases=learn,rest@1:20");
    ExpectValues("protocol:\n  phases:\n  - learn\n  - rest\n", "protocol_phases=learn,rest@3:3");
    ExpectValues("a: []\n", "a=@1:4");
    ExpectValues("a: >\n  1 +\n  w\nb: |\n  2\n", "a=1 + w\n@1:4 b=2\n@4:4");
    ExpectValues("{\"model\": {\"noise\": 1}}", "model_noise=1@1:21");
    ExpectValues("a: !!str 5\nb: ! 6\n", "a=5@1:4 b=6@2:4");
    ExpectValues("---\na: 1\n...\n---\n", "a=1@2:4");
}

/** Columns count characters, lines whatever ends one, and a mark of UTF-8 counts for nothing. */
static void TestEncodings(void **state)
{
    (void)state;
    ExpectValues("\xEF\xBB\xBF"
                 "a: 1\n",
                 "a=1@1:4");
    ExpectValues("a: 1\r\nb:  2\r\n", "a=1@1:4 b=2@2:5");
    ExpectValues("{a: \"\xC3\xA9\", b: 2}", "a=\xC3\xA9@1:5 b=2@1:13");
    ExpectRefusal("# \xC3\xA9\na: \xFF\n",
                  "case.yaml:2:4: not valid YAML: invalid leading UTF-8 octet");
    ExpectRefusal("\xEF\xBB\xBF"
                  "a: caf\xE9\n",
                  "case.yaml:1:7: not valid YAML: ");
    ExpectRefusal("a: 1\nb: \x01\n",
                  "case.yaml:2:4: not valid YAML: control characters are not allowed");
    static const char wide[] = "\xFF\xFE"
                               "a\0:\0 \0"
                               "1";
    ExpectRefusalOf(wide, sizeof(wide), "case.yaml:1:1: text in UTF-16; save the file as UTF-8");
    static const char zero[] = "a: 1\nb: 2\0 model: {noise: 3}\n";
    ExpectRefusalOf(zero, sizeof(zero) - 1, "case.yaml:2:5: a NUL byte");
    ExpectRefusalOf("\0", 1, "case.yaml:1:1: a NUL byte");
    static const char tail[] = "a: 1\n\0\0\0";
    ExpectRefusalOf(tail, sizeof(tail), "case.yaml:2:1: a NUL byte");
    ExpectRefusal("a: \"1\\0 2\"\n", "case.yaml:1:4: a NUL character in a value");
    ExpectRefusal("\"a\\0b\": 1\n", "case.yaml:1:1: a NUL character in a value");
}

static void TestSyntax(void **state)
{
    (void)state;
    ExpectRefusal("a: 1\nb: \"w\nc: 2\n",
                  "case.yaml:2:4: not valid YAML: found unexpected end of stream while scanning a "
                  "quoted scalar");
    ExpectRefusal("a: 'w", "case.yaml:1:4: not valid YAML: found unexpected end of stream");
    ExpectRefusal("a: 1\nb: [1\n", "case.yaml:2:4: not valid YAML: did not find expected ',' or");
    ExpectRefusal("a: {b: 1\n", "case.yaml:1:4: not valid YAML: did not find expected ',' or '}'");
    ExpectRefusal("a:\n\tb: 1\n", "case.yaml:2:1: not valid YAML: found character that cannot "
                                  "start any token while scanning for the next token; indent with "
                                  "blanks instead of a tab");
    ExpectRefusal("\xEF\xBB\xBF# \xC3\xA9\na:\n\tb: 1\n", "case.yaml:3:1: not valid YAML: ");
    ExpectRefusal("a: w > 0 ? 1 : 0\n",
                  "case.yaml:1:14: not valid YAML: mapping values are not allowed in this context; "
                  "a value with a colon in it needs quotes");
    ExpectRefusal("a: *b\n", "case.yaml:1:4: not valid YAML: found undefined alias");
    ExpectRefusal("a: 1\n b: 2\n", "case.yaml:2:3: not valid YAML: mapping values");
    ExpectRefusal("a: @w\n", "case.yaml:1:4: not valid YAML: ");
}

static void TestNoCases(void **state)
{
    (void)state;
    ExpectRefusal("just text\n", "case.yaml:1:1: a single text where options are expected");
    ExpectRefusal("# x\n- a\n- b\n", "case.yaml:2:1: a list where options are expected");
    ExpectRefusal("[]", "case.yaml:1:1: a list where");
    ExpectRefusal("~\n", "case.yaml:1:1: a single text where");
    ExpectRefusal("a: 1\n---\nb: 2\n", "case.yaml:2:1: a second document; a case file has one");
    ExpectRefusal("---\n---\na: 1\n--- text\n", "case.yaml:4:1: a second document");
    ExpectRefusal("{a: 1}\n--- \"b\n", "case.yaml:2:5: not valid YAML: ");
    ExpectRefusal("a: {1: 2}\n[b]: 3\n", "case.yaml:2:1: a list or a group where the name");
    ExpectRefusal("? {a: 1}\n: 2\n", "case.yaml:1:3: a list or a group where the name");
    ExpectRefusal("1a: 2\n", "case.yaml:1:1: '1a' is no name of an option");
    ExpectRefusal("-model_noise: 2\n", "case.yaml:1:1: '-model_noise' is no name of an option");
    ExpectRefusal("\"\": 2\n", "case.yaml:1:1: '' is no name of an option");
    ExpectRefusal("a: [1, [2]]\n", "case.yaml:1:8: -a: an item of the list is a list or a group");
    ExpectRefusal("a: [b: {c: 1}]\n", "case.yaml:1:5: -a: an item of the list is a list or a gr");
    ExpectRefusal("a:\n- 1\n-\n", "case.yaml:3:2: -a: an item of the list is blank");
    ExpectRefusal("a: !env HOME\n", "case.yaml:1:4: the tag !env means nothing here");
    ExpectRefusal("$$a: !include other.yaml\n", "case.yaml:1:6: the tag !include means nothing");
    ExpectRefusal("a: [!x 1]\n", "case.yaml:1:5: the tag !x means nothing here");
}

static void TestValuesGivenTwice(void **state)
{
    (void)state;
    ExpectRefusal(
        "a: 1\nb: 2\na: 3\n",
        "case.yaml:3:1: -a: stands here for the second time, after line 1; leave one out");
    ExpectRefusal("time: {end: 1, step: 2}\ntime: {end: 7}\n",
                  "case.yaml:2:1: time: stands here for the second time, after line 1; put both "
                  "together");
    ExpectRefusal("time: {end: 1, step: 2}\ntime: {scheme: euler}\n",
                  "case.yaml:2:1: time: stands");
    ExpectRefusal("time_end: 1\ntime: {end: 1}\n",
                  "case.yaml:2:8: -time_end: stands here for the second time, after line 1");
    ExpectRefusal("time: {end: 1}\nTime_End: 1\n", "case.yaml:2:1: -Time_End: stands here for");
    ExpectRefusal("grid: {w_min: 1, w: {min: 2}}\n", "case.yaml:1:22: -grid_w_min: stands here");
    ExpectRefusal("grid_w: {min: 1}\ngrid: {w_min: 2}\n", "case.yaml:2:8: -grid_w_min: stands");
    ExpectRefusal("a: {b: {c: 1, C: 2}}\n", "case.yaml:1:15: -a_b_C: stands here");
    ExpectRefusal("a: 1\na:\n", "case.yaml:2:1: -a: stands here");
    ExpectRefusal("a: [1]\na: [1]\n", "case.yaml:2:1: -a: stands here");
    ExpectRefusal("$$x: &x {a: 1, a: 2}\nb: {<<: *x}\n", "case.yaml:1:16: -b_a: stands here");
    ExpectRefusal("$$x: &x {a_b: 1, a: {b: 2}}\n<<: *x\n", "case.yaml:1:22: -a_b: stands here");
    ExpectRefusal("$$x: &x {a: 1}\n<<: *x\n<<: *x\n", "case.yaml:3:1: ");
}

static void TestAnchors(void **state)
{
    (void)state;
    ExpectValues("a: &x 5\nb: *x\n", "a=5@1:4 b=5@1:4");
    ExpectValues("a: &x {b: 5}\nc: *x\n", "a_b=5@1:11 c_b=5@1:11");
    ExpectValues("$$all: {x: &x {b: 5}}\nc: *x\n", "c_b=5@1:19");
    ExpectValues("a: [&x 1, *x]\n", "a=1,1@1:4");
}

/** As YAML has it: own keys before merged ones in any order, and the first of several groups. */
static void TestMergeKeys(void **state)
{
    (void)state;
    ExpectValues("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n",
                 "a_b=1@1:11 a_c=2@1:17 d_c=3@2:16 d_b=1@1:11");
    ExpectValues("$$: &x {b: 1, c: 2}\nd: {c: 3, <<: *x}\n", "d_c=3@2:8 d_b=1@1:12");
    ExpectValues("$$: [&x {b: 1}, &y {b: 2, c: 3}]\nd: {<<: [*x, *y]}\n", "d_b=1@1:13 d_c=3@1:30");
    ExpectValues("$$: [&x {b: 1}, &y {b: 2, c: 3}]\nd: {<<: [*y, *x]}\n", "d_b=2@1:24 d_c=3@1:30");
    ExpectValues("$$x: &x {b: 1, c: 2}\n$$y: &y {<<: *x, c: 3}\nd: {<<: *y}\n",
                 "d_c=3@2:21 d_b=1@1:13");
    /* Groups in a merged group count option by option; what stands further in comes first. */
    ExpectValues("$$x: &x {m: {b: 1, c: 2}}\n<<: *x\nm: {b: 3}\n", "m_b=3@3:8 m_c=2@1:23");
    ExpectValues("$$: [&x {m: {b: 1}}, &y {b: 2}]\n<<: *x\nm: {<<: *y}\n", "m_b=2@1:29");
    ExpectValues("$$x: &x {b: 1}\nm: {<<: *x}\nm_b: 2\n", "m_b=2@3:6");
    ExpectValues("$$x: &x {b: 1}\nm: {<<: {b: 2}}\n", "m_b=2@2:13");
    ExpectRefusal("a: {<<: 5}\n", "case.yaml:1:9: << merges groups that have an anchor");
    ExpectRefusal("a: {<<: [5]}\n", "case.yaml:1:10: << merges groups that have an anchor");
    ExpectRefusal("a: {<<: }\n", "case.yaml:1:9: << merges groups that have an anchor");
}

/** Appends a text, as often as said, to one of LONG_TEXT bytes. */
static void Append(char *text, const char *part, int times)
{
    size_t length = strlen(text);
    for (int i = 0; i < times; i++) {
        const int added = snprintf(text + length, LONG_TEXT - length, "%s", part);
        assert_true(added >= 0 && length + (size_t)added < LONG_TEXT);
        length += (size_t)added;
    }
}

static void TestBombs(void **state)
{
    (void)state;
    static char text[LONG_TEXT];
    ExpectRefusal("a: &a {b: *a}\n", "case.yaml:1:4: an anchor on what contains itself");
    ExpectRefusal("&a {b: {c: *a}}\n", "case.yaml:1:1: an anchor on what contains itself");
    ExpectRefusal("a: &a {<<: *a}\n", "case.yaml:1:4: an anchor on what contains itself");
    ExpectRefusal("a: &a [*a]\n", "case.yaml:1:4: -a: an item of the list is a list or a group");
    ExpectRefusal("$$: [&a {<<: *b}, &b {x: 1}]\n", "case.yaml:1:14: not valid YAML: ");

    /* Ten aliases in each of nine groups would make a thousand million values. */
    text[0] = '\0';
    Append(text, "$$0: &b0 {x: 1}\n", 1);
    for (int i = 1; i < 10; i++) {
        char line[200];
        int length = snprintf(line, sizeof(line), "$$%d: &b%d {", i, i);
        for (int j = 0; j < 10; j++) {
            length +=
                snprintf(line + length, sizeof(line) - (size_t)length, "%c: *b%d,", 'a' + j, i - 1);
        }
        (void)snprintf(line + length, sizeof(line) - (size_t)length, "}\n");
        Append(text, line, 1);
    }
    Append(text, "a: *b9\n", 1);
    ExpectRefusal(text, "case.yaml:");
    assert_non_null(strstr(EngramErrorMessage(), ": more than 4096 keys"));

    text[0] = '\0';
    Append(text, "{a: ", 5000);
    Append(text, "}", 5000);
    ExpectRefusal(text, "case.yaml:1:81: more than 20 groups inside each other");
    text[0] = '\0';
    Append(text, "a: ", 1);
    Append(text, "[", 20000);
    ExpectRefusal(text,
                  "case.yaml:1:20004: not valid YAML: did not find expected node content while "
                  "parsing a flow node; the text ends before that");
    text[0] = '\0';
    Append(text, "[", 20000);
    Append(text, "]", 20000);
    ExpectRefusal(text, "case.yaml:1:1: a list where options are expected");

    text[0] = '\0';
    for (int i = 0; i < 5000; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "a%d: 1\n", i);
        Append(text, line, 1);
    }
    ExpectRefusal(text, "case.yaml:4096:1: more than 4096 keys");
    text[0] = '\0';
    Append(text, "abcdefgh_", 60);
    Append(text, ": 1\n", 1);
    ExpectRefusal(text, "case.yaml:1:1: unknown option -abcdefgh_");
    text[0] = '\0';
    Append(text, "a: [", 1);
    Append(text, "word,", 20000);
    Append(text, "]\n", 1);
    CaseFile file;
    assert_int_equal(Parse(text, strlen(text), &file), 0);
    /* So long that no option may have it. */
    assert_int_equal(strlen(file.values[0].text), 4095);
    Destroy(&file);
}

/** Whether the last refusal names a place of a text. */
static void ExpectPlaceInside(const char *text, size_t length)
{
    int lines = 1;
    static const char path[] = "case.yaml:";
    char *end = NULL;
    assert_memory_equal(EngramErrorMessage(), path, sizeof(path) - 1);
    const long line = strtol(EngramErrorMessage() + sizeof(path) - 1, &end, 10);
    assert_int_equal(*end, ':');
    const long column = strtol(end + 1, &end, 10);
    assert_int_equal(*end, ':');
    for (size_t i = 0; i < length; i++) {
        lines += text[i] == '\n' || text[i] == '\r';
    }
    assert_in_range(line, 1, lines);
    assert_in_range(column, 1, (int)length + 1);
}

/** Every beginning of a case, and every byte of it spoilt: read, or refused with a place. */
static void TestAnyBytes(void **state)
{
    static const char whole[] = "\xEF\xBB\xBF# \xC3\xA9\n$$: &x {a: 1, \"b\": 'c'}\n"
                                "model: {<<: *x, noise: !!float 1}\n"
                                "list: [d, \"e\\n\"]\ntext: |\n  f\n ...\n---\n";
    static const char spoilers[] = {'\0', '\t', '\n', '\r', ' ',  '!',  '"',    '&',    '*',   ':',
                                    '-',  '[',  '{',  '}',  '\'', '\\', '\x7F', '\xC3', '\xFF'};
    char text[sizeof(whole)];
    CaseFile file;
    int refused = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        for (size_t j = 0; j <= sizeof(spoilers); j++) {
            /* Once the text ends here, in memory of just that size. */
            const size_t length = j == sizeof(spoilers) ? i : sizeof(whole) - 1;
            memcpy(text, whole, sizeof(whole));
            if (j < sizeof(spoilers)) {
                text[i] = spoilers[j];
            }
            char *exact = malloc(length ? length : 1);
            assert_non_null(exact);
            memcpy(exact, text, length);
            if (Parse(exact, length, &file)) {
                ExpectPlaceInside(text, length);
                refused++;
            }
            Destroy(&file);
            free(exact);
        }
    }
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestNamesAndPlaces),   cmocka_unit_test(TestEncodings),
        cmocka_unit_test(TestSyntax),           cmocka_unit_test(TestNoCases),
        cmocka_unit_test(TestValuesGivenTwice), cmocka_unit_test(TestAnchors),
        cmocka_unit_test(TestMergeKeys),        cmocka_unit_test(TestBombs),
        cmocka_unit_test(TestAnyBytes),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
