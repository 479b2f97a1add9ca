"""Run in the back end before the scripts where there is no X display: pictures become data.

ParaView would end the program at the first picture. Here views are made of nothing: whatever is
asked of them is answered by nothing again, and what would extract a picture writes the data of all
channels that the script uses, with the same trigger.
"""


class _EngramNothing:
    """Takes the place of a view and of all that belongs to one."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __setattr__(self, name, value):
        pass

    def __call__(self, *arguments, **options):
        return self

    def __getitem__(self, key):
        if isinstance(key, int) and key >= 3:
            raise IndexError(key)
        return self

    def __setitem__(self, key, value):
        pass

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    def __len__(self):
        return 3

    def __bool__(self):
        return True


def _engram_replace_views(message):
    """Puts nothing in the place of the functions that make or use a view; says so at the first."""
    import os
    import sys

    from paraview import servermanager, simple

    nothing = _EngramNothing()
    producers = {}
    messages = [message]

    def needs_view(function):
        def replaced(*arguments, **options):
            values = list(arguments) + list(options.values())
            if any(isinstance(value, _EngramNothing) for value in values):
                return nothing
            return function(*arguments, **options)
        return replaced

    def never(*arguments, **options):
        if messages:
            sys.stderr.write(messages.pop())
        return nothing

    make_producer = simple.TrivialProducer
    make_extractor = simple.CreateExtractor

    def producer(*arguments, **options):
        made = make_producer(*arguments, **options)
        producers[options.get("registrationName", "channel")] = made
        return made

    def extractor(name, proxy=None, registrationName=None):
        if not isinstance(proxy, _EngramNothing):
            return make_extractor(name, proxy, registrationName)
        made = [make_extractor("VTR", source, f"{registrationName or name}_{channel}")
                for channel, source in producers.items()]
        return _EngramExtractors(made, list(producers))

    class _EngramExtractors:
        """Extractors of data in the place of one of a picture."""

        def __init__(self, made, channels):
            self.__dict__["_made"] = made
            self.__dict__["Writer"] = _EngramWriters(made, channels)

        def __setattr__(self, name, value):
            for one in self._made:
                setattr(one, name, value)

        def __getattr__(self, name):
            return _EngramAll([getattr(one, name) for one in self._made])

    class _EngramAll:
        """Several objects that are set alike."""

        def __init__(self, objects):
            self.__dict__["_objects"] = objects

        def __setattr__(self, name, value):
            for one in self._objects:
                setattr(one, name, value)

    class _EngramWriters:
        """Their writers; only the name of the file has a meaning for data."""

        def __init__(self, made, channels):
            self.__dict__["_made"] = list(zip(made, channels))

        def __setattr__(self, name, value):
            if name != "FileName":
                return
            stem = os.path.splitext(value)[0]
            for one, channel in self._made:
                end = "" if stem.startswith(channel) else f"_{channel}"
                one.Writer.FileName = f"{stem}{end}.pvtr"

        def __getattr__(self, name):
            return nothing

    for name in ("CreateView", "CreateRenderView", "CreateXYPlotView", "CreateXYPointPlotView",
                 "CreateBarChartView", "CreateLayout", "GetLayout", "GetActiveView", "GetRenderView",
                 "GetActiveViewOrCreate", "FindViewOrCreate", "GetViews", "Render", "RenderAllViews",
                 "ResetCamera", "GetActiveCamera", "SaveScreenshot", "SaveAnimation",
                 "GetDisplayProperties", "GetRepresentation", "GetMaterialLibrary"):
        if hasattr(simple, name):
            setattr(simple, name, never)
    for name in ("Show", "ShowAll", "Hide", "HideAll", "ColorBy", "GetScalarBar", "SetActiveView",
                 "UpdateScalarBars", "HideUnusedScalarBars", "HideScalarBarIfNotNeeded",
                 "AssignViewToLayout", "Delete"):
        if hasattr(simple, name):
            setattr(simple, name, needs_view(getattr(simple, name)))
    simple.TrivialProducer = producer
    simple.CreateExtractor = extractor
    servermanager.CreateRenderView = never
