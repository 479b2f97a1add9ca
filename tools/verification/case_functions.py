"""Expressions of case files as functions of numpy: `^`, `a ? b : c`, `&&`, `||`, min and max."""

import numpy

FUNCTIONS = {name: getattr(numpy, name) for name in
             ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "abs", "where", "logical_and",
              "logical_or")}
FUNCTIONS.update(min=numpy.minimum, max=numpy.maximum, pi=numpy.pi)


def split_outside(text, mark):
    """The parts of a text between marks that are in no parentheses."""
    parts, depth, begin, k = [], 0, 0, 0
    while k < len(text):
        depth += {"(": 1, ")": -1}.get(text[k], 0)
        if depth == 0 and text.startswith(mark, k):
            parts.append(text[begin:k])
            begin = k = k + len(mark)
        else:
            k += 1
    return parts + [text[begin:]]


def split_choice(text):
    """Condition and both branches of the outermost `a ? b : c`, or None."""
    head, *rest = split_outside(text, "?")
    if not rest:
        return None
    tail = split_outside(text[len(head) + 1:], ":")
    # A colon belongs to the last question mark before it that has none yet.
    left, open_marks = [], 1
    for k, part in enumerate(tail[:-1]):
        open_marks += len(split_outside(part, "?")) - 1
        left.append(part)
        open_marks -= 1
        if open_marks == 0:
            return head, ":".join(left), ":".join(tail[k + 1:])
    raise ValueError(f"no colon to a question mark: {text}")


def translate_groups(text):
    """Translates what is in parentheses, an argument at a time."""
    result, depth, begin = "", 0, 0
    for k, letter in enumerate(text):
        if letter == "(":
            depth += 1
            begin = k + 1 if depth == 1 else begin
        elif letter == ")":
            depth -= 1
            if depth == 0:
                result += "(" + ", ".join(map(translate, split_outside(text[begin:k], ","))) + ")"
        elif depth == 0:
            result += letter
    return result.replace("^", "**")


def translate(text):
    """The expression in the words of Python."""
    choice = split_choice(text)
    if choice:
        return "where({}, {}, {})".format(*map(translate, choice))
    for mark, name in (("||", "logical_or"), ("&&", "logical_and")):
        first, *rest = split_outside(text, mark)
        if rest:
            return f"{name}({translate(first)}, {translate(mark.join(rest))})"
    return translate_groups(text.strip())


def function_of(expression, *variables):
    """The expression, or number, as a function of these variables."""
    code = compile(translate(str(expression)), str(expression), "eval")

    def evaluate(*values):
        return eval(code, FUNCTIONS, dict(zip(variables, values)))  # pylint: disable=eval-used

    return evaluate
