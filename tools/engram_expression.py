"""Evaluates the expressions of case files with numpy: the grammar of muParser, without eval.

From loose to tight: a ? b : c, ||, &&, comparisons, + -, * /, the sign, ^ (to the right).
What the program refuses is refused here: comparisons do not chain, and && and || join comparisons.
"""

import re

import numpy

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
                   r"|([A-Za-z_]\w*)|(\|\||&&|<=|>=|==|!=|[-+*/^<>?:(),]))")

# The variable N of the noise and the response is the total rate, and has this name, too.
SAME_AS = {"Nbar": "N"}

CONSTANTS = {"pi": numpy.pi, "_pi": numpy.pi, "_e": numpy.e}

FUNCTIONS = {
    "sin": numpy.sin, "cos": numpy.cos, "tan": numpy.tan, "asin": numpy.arcsin,
    "acos": numpy.arccos, "atan": numpy.arctan, "atan2": numpy.arctan2, "sinh": numpy.sinh,
    "cosh": numpy.cosh, "tanh": numpy.tanh, "asinh": numpy.arcsinh, "acosh": numpy.arccosh,
    "atanh": numpy.arctanh, "exp": numpy.exp, "log": numpy.log, "ln": numpy.log,
    "log2": numpy.log2, "log10": numpy.log10, "sqrt": numpy.sqrt, "abs": numpy.abs,
    "sign": numpy.sign, "rint": lambda value: numpy.floor(value + 0.5),
    "min": lambda *values: numpy.minimum.reduce(numpy.broadcast_arrays(*values)),
    "max": lambda *values: numpy.maximum.reduce(numpy.broadcast_arrays(*values)),
    "sum": lambda *values: sum(values),
    "avg": lambda *values: sum(values) / len(values),
}

# Arguments of the functions that do not take one; None: any number of them.
ARGUMENTS = {"atan2": 2, "min": None, "max": None, "sum": None, "avg": None}

# Binary operators by how tight they bind, the loosest first; all of these group to the left.
LEVELS = (
    {"||": lambda a, b: numpy.where((a != 0) | (b != 0), 1.0, 0.0)},
    {"&&": lambda a, b: numpy.where((a != 0) & (b != 0), 1.0, 0.0)},
    {"<": lambda a, b: 1.0 * (a < b), ">": lambda a, b: 1.0 * (a > b),
     "<=": lambda a, b: 1.0 * (a <= b), ">=": lambda a, b: 1.0 * (a >= b),
     "==": lambda a, b: 1.0 * (a == b), "!=": lambda a, b: 1.0 * (a != b)},
    {"+": numpy.add, "-": numpy.subtract},
    {"*": numpy.multiply, "/": numpy.divide},
)

CHOICES, COMPARISONS = (0, 1), 2


class ExpressionError(Exception):
    """A text that is no expression in its variables."""


def split_tokens(text):
    """Pairs of kind (number, name, sign) and text."""
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ExpressionError(f"\"{text}\": not understood at position {position + 1}")
        tokens.append((("number", "name", "sign")[match.lastindex - 1], match[match.lastindex]))
        position = match.end()
    return tokens + [("end", "")]


class Expression:
    """A function of named variables, as in `Expression("w < 0 ? -1 : 1", "w")(w=weights)`."""

    def __init__(self, text, variables):
        self.text = text
        self.used = set()
        self._allowed = tuple(variables)
        self._tokens = split_tokens(text)
        self._evaluate = self._parse_choice()
        if self._peek()[0] != "end":
            raise self._complaint()

    def __call__(self, **values):
        # Both branches of a choice are evaluated, also where the other one is taken.
        with numpy.errstate(all="ignore"):
            return self._evaluate(values)

    def _peek(self):
        return self._tokens[0]

    def _take(self, *signs):
        """The next token if it is one of these signs, else None."""
        kind, text = self._peek()
        if kind == "sign" and text in signs:
            self._tokens.pop(0)
            return text
        return None

    def _require(self, sign):
        if not self._take(sign):
            raise self._complaint()

    def _complaint(self):
        word = self._peek()[1] or "its end"
        return ExpressionError(f"\"{self.text}\": not understood at {word}")

    def _parse_choice(self):
        condition = self._parse_level(0)
        if not self._take("?"):
            return condition
        first = self._parse_choice()
        self._require(":")
        second = self._parse_choice()
        return lambda values: numpy.where(numpy.asarray(condition(values)) != 0.0, first(values),
                                          second(values))

    def _parse_level(self, level):
        if level == len(LEVELS):
            return self._parse_sign()
        left = self._parse_level(level + 1)
        while True:
            sign = self._take(*LEVELS[level])
            if not sign:
                return left
            right = self._parse_level(level + 1)
            if level in CHOICES and not (self._is_truth(left) and self._is_truth(right)):
                raise ExpressionError(f"\"{self.text}\": {sign} joins comparisons")
            left = self._join(LEVELS[level][sign], left, right)
            left.is_truth = level <= COMPARISONS
            if level == COMPARISONS and self._take(*LEVELS[level]):
                raise ExpressionError(f"\"{self.text}\": comparisons do not chain; join them by &&")

    @staticmethod
    def _is_truth(node):
        """Whether it is a comparison, or some that are joined."""
        return getattr(node, "is_truth", False)

    @staticmethod
    def _join(operation, left, right):
        return lambda values: operation(left(values), right(values))

    def _parse_sign(self):
        sign = self._take("-", "+")
        if not sign:
            return self._parse_power()
        factor, operand = 1.0 if sign == "+" else -1.0, self._parse_power()
        return lambda values: factor * operand(values)

    def _parse_power(self):
        base = self._parse_atom()
        if not self._take("^"):
            return base
        # A power of a power is taken from the right, and an exponent may have a sign.
        return self._join(lambda a, b: numpy.power(numpy.asarray(a, float), b), base,
                          self._parse_sign())

    def _parse_atom(self):
        kind, text = self._peek()
        if self._take("("):
            inner = self._parse_choice()
            self._require(")")
            return inner
        if kind not in ("number", "name"):
            raise self._complaint()
        self._tokens.pop(0)
        if kind == "number":
            return lambda values, number=float(text): number
        if text in FUNCTIONS:
            return self._parse_call(text)
        return self._parse_name(text)

    def _parse_call(self, name):
        self._require("(")
        arguments = [self._parse_choice()]
        while self._take(","):
            arguments.append(self._parse_choice())
        self._require(")")
        if ARGUMENTS.get(name, 1) not in (None, len(arguments)):
            raise ExpressionError(f"\"{self.text}\": {name} takes another number of arguments")
        function = FUNCTIONS[name]
        return lambda values: function(*(argument(values) for argument in arguments))

    def _known_names(self):
        return [*self._allowed, *(name for name, same in SAME_AS.items() if same in self._allowed)]

    def _parse_name(self, name):
        if name in CONSTANTS:
            return lambda values: CONSTANTS[name]
        if name not in self._allowed and SAME_AS.get(name) in self._allowed:
            name = SAME_AS[name]
        if name not in self._allowed:
            raise ExpressionError(f"\"{self.text}\": unknown name {name}; known are "
                                  f"{', '.join(self._known_names())}")
        self.used.add(name)
        return lambda values: values[name]


def evaluate(text, **variables):
    """The value of an expression in these variables, which may be arrays."""
    return Expression(str(text), variables)(**variables)


def variables_of(text):
    """The names of the variables that an expression has."""
    names = {word for kind, word in split_tokens(str(text)) if kind == "name"}
    return Expression(str(text), names - set(FUNCTIONS) - set(CONSTANTS)).used
