"""Run in the back end before the scripts: finds what a script asked for and did not get.

ParaView makes an empty source of a name that is no channel, draws an array that does not exist in
one colour, and leaves empty or cut files where a disk is full; all of it without an error that
could be caught. Here a script raises when its channel is none, before its extracts are made: on
several ranks ParaView would wait for ever in some of them. After each call `_engram_find` looks at
the extracts and their files, whose names `_engram_watch` has cleared before the call.
"""


class _EngramScript:
    """What a script has made so far, and whether its turn has come in the present call."""

    def __init__(self):
        self.names = []  # given to sources, and no channels
        self.extractors = []
        self.is_executed = False
        self.folder = ""  # of its extracts


class _EngramChecks:
    """All scripts by path, and the channels that they use."""

    channels = ()
    producers = set()  # identifiers of the sources that are channels
    scripts = {}
    script = _EngramScript()


def _engram_begin_checks(channels):
    """Notes from now on what scripts make."""
    from paraview.catalyst import detail, v2_internals

    _EngramChecks.channels = channels
    is_channel, make_producer = detail.IsInsituInput, detail.CreateProducer
    register, execute = detail.RegisterExtractor, v2_internals.do_catalyst_execute
    import_script = v2_internals.import_and_validate

    def noted_is_channel(name):
        answer = is_channel(name)
        if name and not answer:
            _EngramChecks.script.names.append(name)
        return answer

    def noted_producer(name):
        made = make_producer(name)
        _EngramChecks.producers.add(made.SMProxy.GetGlobalID())
        return made

    def noted_extractor(extractor):
        _EngramChecks.script.extractors.append(extractor)
        return register(extractor)

    def noted_execute(module):
        _EngramChecks.script.folder = module.options.ExtractsOutputDirectory
        answer = execute(module)
        _engram_refuse_channels()
        _EngramChecks.script.is_executed = True
        return answer

    def noted_import(name):
        try:
            return import_script(name)
        except Exception:
            _engram_refuse_channels()
            raise

    detail.IsInsituInput, detail.CreateProducer = noted_is_channel, noted_producer
    detail.RegisterExtractor, v2_internals.do_catalyst_execute = noted_extractor, noted_execute
    v2_internals.import_and_validate = noted_import


def _engram_watch(path):
    """Before a call of a script: forgets the names of the files that its extractors wrote last."""
    script = _EngramChecks.scripts.setdefault(path, _EngramScript())
    script.is_executed = False
    _EngramChecks.script = script
    for extractor in script.extractors:
        for writer in _engram_writers(extractor):
            writer.GetProperty("FileName").SetElement(0, "")


def _engram_find(step, time):
    """After a call of a script: what is wrong with its files, a text that is empty if nothing is.

    The second answer is a list of texts, the same on all ranks but that a text is empty where this
    rank has the data in question; what no rank has is missing.
    """
    files, missing = "", []
    for extractor in _engram_triggered(step, time):
        name = _engram_name("extractors", extractor.SMProxy)
        fault = _engram_file_fault(extractor)
        if fault and not files:
            files = f"extract '{name}': {fault}"
        missing += [f"extract '{name}': {text}" if text else ""
                    for text in _engram_data_faults(extractor)]
    return files, missing


def _engram_name(group, proxy):
    """The name by which a proxy is registered."""
    from paraview import servermanager
    return servermanager.ProxyManager().GetProxyName(group, proxy) or proxy.GetXMLName()


def _engram_refuse_channels():
    """Raises where a source has the name of no channel, and no data, or extracts show no channel."""
    from paraview import servermanager

    script, there = _EngramChecks.script, f"the channels are {' and '.join(_EngramChecks.channels)}"
    for name in script.names:
        proxy = servermanager.ProxyManager().GetProxy("sources", name)
        source = proxy.SMProxy.GetClientSideObject() if proxy else None
        if (source is not None and source.IsA("vtkTrivialProducer")
                and source.GetOutputDataObject(0).GetClassName() == "vtkDataObject"):
            raise RuntimeError(f"there is no channel '{name}', {there}")
    if script.extractors and not any(_engram_sees_channel(extractor.SMProxy)
                                     for extractor in script.extractors):
        raise RuntimeError(f"its extracts show no channel, {there}")


def _engram_sees_channel(proxy):
    """Whether something is made, by whatever filters, of a channel."""
    seen, rest = set(), [proxy]
    while rest:
        proxy = rest.pop()
        if proxy is None or proxy.GetGlobalID() in seen:
            continue
        if proxy.GetGlobalID() in _EngramChecks.producers:
            return True
        seen.add(proxy.GetGlobalID())
        rest += [proxy.GetProducerProxy(index) for index in range(proxy.GetNumberOfProducers())]
    return False


def _engram_triggered(step, time):
    """The extractors whose turn it was, if it was the script's."""
    from paraview import servermanager

    controller = servermanager.vtkSMExtractsController()
    controller.SetTimeStep(step)
    controller.SetTime(time)
    return [extractor for extractor in _EngramChecks.script.extractors
            if _EngramChecks.script.is_executed
            and controller.IsTriggerActivated(extractor.SMProxy)]


def _engram_writers(extractor):
    """The proxies that have written files: one of data, or one of each format of pictures."""
    shared = "ImageResolution" if _engram_is_picture(extractor) else "Input"
    writer = extractor.Writer.SMProxy.GetProperty(shared).GetParent()
    if writer.GetProperty("FileName"):
        return [writer]
    formats = writer.GetProperty("Format").FindDomain("vtkSMProxyListDomain")
    return [formats.GetProxy(index) for index in range(formats.GetNumberOfProxies())]


def _engram_is_picture(extractor):
    """Whether it is a picture of a view, else it is data of a source."""
    return extractor.Writer.SMProxy.GetProperty("View") is not None


def _engram_file_fault(extractor):
    """What is wrong with the files of an extract that this rank has written."""
    from vtkmodules.vtkCommonMisc import vtkErrorCode
    from vtkmodules.vtkParallelCore import vtkMultiProcessController

    rank = vtkMultiProcessController.GetGlobalController().GetLocalProcessId()
    if rank > 0 and _engram_is_picture(extractor):
        return ""
    names = {}
    for writer in _engram_writers(extractor):
        if writer.GetProperty("FileName").GetElement(0):
            names[writer.GetProperty("FileName").GetElement(0)] = writer.GetClientSideObject()
    if not names:
        return f"{_EngramChecks.script.folder}/{extractor.Writer.FileName} was not written"
    for path, writer in names.items():
        code = (writer.GetWriter() if hasattr(writer, "GetWriter") else writer).GetErrorCode()
        reason = vtkErrorCode.GetStringFromErrorCode(code) if code != vtkErrorCode.NoError else ""
        for own in _engram_own_files(path, rank):
            fault = _engram_fault_of(own)
            if fault:
                return f"{own} {fault}" + (f": {reason}" if reason else "")
        if reason:
            return f"{path}: {reason}"
    return ""


def _engram_own_files(path, rank):
    """The files of an extract that a rank has written: the first one all, each one its part."""
    import glob
    import os

    stem = os.path.splitext(path)[0]
    parts = os.path.join(glob.escape(stem), f"*_{rank}.*")
    return ([path] if rank == 0 else []) + sorted(glob.glob(parts))


def _engram_fault_of(path):
    """Whether a file is missing, empty or cut."""
    import os

    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            head = file.read(256) if os.path.isfile(path) else b""
            file.seek(max(0, size - 256))
            tail = file.read(256) if os.path.isfile(path) else b""
    except FileNotFoundError:
        return "was not written"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if not head.strip():
        return "is empty"
    endings = {b"\x89PNG": b"IEND\xaeB`\x82", b"\xff\xd8": b"\xff\xd9", b"<VTKFile": b"</VTKFile>\n",
               b"<?xml": b">\n"}
    ending = next((end for start, end in endings.items() if head.startswith(start)), b"")
    if path.endswith((".csv", ".tsv", ".txt")):
        ending = b"\n"
    return "" if tail.endswith(ending) else "is cut off"


def _engram_data_faults(extractor):
    """What an extract wants to show, as texts: those where this rank has nothing are not empty."""
    if not _engram_is_picture(extractor):
        return [_engram_source_fault(extractor.Writer.Input)]
    faults = []
    for shown in extractor.Writer.View.Representations:
        source = shown.GetProperty("Input") and shown.Input
        if source and shown.Visibility and _engram_sees_channel(source.SMProxy):
            faults += [_engram_source_fault(source), *_engram_colour_faults(shown, source)]
    return faults


def _engram_source_fault(source):
    """The same of the data of a source."""
    name = _engram_name("sources", source.SMProxy)
    return "" if _engram_size(_engram_data(source)) else f"source '{name}' has no data"


def _engram_colour_faults(shown, source):
    """The same of the array that gives a source in a view its colours."""
    if not shown.GetProperty("ColorArrayName") or not shown.ColorArrayName[1]:
        return []
    array, name = shown.ColorArrayName[1], _engram_name("sources", source.SMProxy)
    return ["" if _engram_has_array(_engram_data(source), array)
            else f"source '{name}' has no array '{array}'"]


def _engram_data(source):
    """What a source has on this rank, or None."""
    return source.SMProxy.GetClientSideObject().GetOutputDataObject(source.Port)


def _engram_size(data):
    """How many points, cells, vertices, edges and rows there are on this rank."""
    kinds = (0, 1, 4, 5, 6)  # of vtkDataObject.AttributeTypes
    return sum(leaf.GetNumberOfElements(kind) for leaf in _engram_leaves(data) for kind in kinds)


def _engram_has_array(data, name):
    """Whether any part on this rank has an array."""
    kinds = (0, 1, 2, 4, 5, 6)
    return any(leaf.GetAttributesAsFieldData(kind) is not None
               and leaf.GetAttributesAsFieldData(kind).HasArray(name)
               for leaf in _engram_leaves(data) for kind in kinds)


def _engram_leaves(data):
    """The parts of composite data, or the data themselves."""
    if data is None:
        return []
    if not data.IsA("vtkCompositeDataSet"):
        return [data]
    leaves, iterator = [], data.NewIterator()
    iterator.InitTraversal()
    while not iterator.IsDoneWithTraversal():
        leaves.append(iterator.GetCurrentDataObject())
        iterator.GoToNextItem()
    return leaves
