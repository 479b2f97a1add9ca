"""The option --style of all tools that draw; needs no matplotlib, which a login node may lack."""

JOURNAL, TALK = "journal", "talk"


def add_style_option(parser):
    """Adds the option to an argparse parser."""
    parser.add_argument("--style", choices=(JOURNAL, TALK), default=JOURNAL,
                        help="of the pictures. journal: one or two columns of a page, letters of "
                             "8 points; talk: a half or the whole of a slide, letters of 18 points "
                             "(default: journal)")
