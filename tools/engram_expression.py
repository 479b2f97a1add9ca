"""Evaluates the expressions of engram's options with NumPy: learning strength, response, input.

The program itself uses muParser; this is the part of its language that options may hold: numbers,
variables, + - * / ^, comparisons, && and ||, a ? b : c, and the functions below.
"""

import ast
import operator

import numpy

FUNCTIONS = {"exp": numpy.exp, "log": numpy.log, "ln": numpy.log, "sqrt": numpy.sqrt,
             "sin": numpy.sin, "cos": numpy.cos, "tanh": numpy.tanh, "abs": numpy.abs,
             "min": numpy.minimum, "max": numpy.maximum}
CONSTANTS = {"pi": numpy.pi, "_pi": numpy.pi, "_e": numpy.e}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.Div: operator.truediv, ast.Pow: operator.pow, ast.USub: operator.neg,
             ast.UAdd: operator.pos, ast.Lt: operator.lt, ast.LtE: operator.le,
             ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
             ast.NotEq: operator.ne}


class ExpressionError(Exception):
    """A text that is no expression; the message says which."""


def evaluate(text, **variables):
    """The value of an expression in these variables, which may be arrays."""
    try:
        tree = ast.parse(python_text(str(text)).strip(), mode="eval")
        with numpy.errstate(all="ignore"):
            return value_of(tree.body, {**CONSTANTS, **variables})
    except (SyntaxError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ExpressionError(f"'{text}' is no expression in {', '.join(variables)}") from error


def variables_of(text):
    """The names of the variables that an expression has."""
    try:
        tree = ast.parse(python_text(str(text)).strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise ExpressionError(f"'{text}' is no expression") from error
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names - set(FUNCTIONS) - set(CONSTANTS)


def python_text(text):
    """The same expression as Python writes it: powers, logic, and conditions within parentheses."""
    text = text.replace("^", "**").replace("&&", " and ").replace("||", " or ")
    done, rest = [""], text
    while rest:
        letter, rest = rest[0], rest[1:]
        if letter == "(":
            done.append("")
        elif letter == ")":
            inner = with_conditions(done.pop())
            done[-1] += f"({inner})"
        else:
            done[-1] += letter
    if len(done) != 1:
        raise ValueError("parentheses")
    return with_conditions(done[0])


def with_conditions(text):
    """a ? b : c as Python's b if a else c, at the top level of a text, argument by argument."""
    return ",".join(condition(part) for part in split_top(text, ","))


def condition(text):
    """The same for one argument."""
    parts = split_top(text, "?")
    if len(parts) == 1:
        return text
    rest = "?".join(parts[1:])
    depth = 0
    for position, letter in enumerate_top(rest):
        depth += letter == "?"
        if letter == ":":
            if depth == 0:
                first, second = rest[:position], rest[position + 1:]
                return f"(({condition(first)}) if ({parts[0]}) else ({condition(second)}))"
            depth -= 1
    raise ValueError("a ? without its :")


def split_top(text, mark):
    """The parts of a text at a mark that stands in no parentheses."""
    parts, begin = [], 0
    for position, letter in enumerate_top(text):
        if letter == mark:
            parts.append(text[begin:position])
            begin = position + 1
    return [*parts, text[begin:]]


def enumerate_top(text):
    """Positions and letters that stand in no parentheses."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            yield position, letter


def value_of(node, variables):
    """The value of a part of the tree."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return variables[node.id]
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value_of(node.left, variables),
                                        value_of(node.right, variables))
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](value_of(node.operand, variables))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return OPERATORS[type(node.ops[0])](value_of(node.left, variables),
                                            value_of(node.comparators[0], variables))
    if isinstance(node, ast.BoolOp):
        combine = numpy.logical_and if isinstance(node.op, ast.And) else numpy.logical_or
        values = [value_of(value, variables) for value in node.values]
        return combine.reduce(numpy.broadcast_arrays(*values))
    if isinstance(node, ast.IfExp):
        return numpy.where(value_of(node.test, variables), value_of(node.body, variables),
                           value_of(node.orelse, variables))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return FUNCTIONS[node.func.id](*(value_of(word, variables) for word in node.args))
    raise ValueError("not in the language of engram")
