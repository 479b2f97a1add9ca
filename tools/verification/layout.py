"""Text that all tables of the verification share."""


def number(value):
    """A number for a table."""
    return f"{value:.3g}" if abs(value) < 1e-2 or abs(value) >= 1e4 else f"{value:.6g}"


def table(header, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def order_list(orders):
    """Observed orders as text."""
    return ", ".join(f"{order:.2f}" for order in orders)
