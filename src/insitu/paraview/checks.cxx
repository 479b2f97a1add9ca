#include <vtkPython.h> // must be first

#include "checks.h"

#include <vtkSmartPyObject.h>

namespace engram
{

namespace
{

// A function of checks.py with its arguments as Py_BuildValue takes them.
template <typename... Arguments>
PyObject *Call(const char *function, const char *format, Arguments... arguments)
{
    PyObject *module = PyImport_AddModule("__main__"); // borrowed
    return module == nullptr ? nullptr
                             : PyObject_CallMethod(module, function, format, arguments...);
}

std::string Text(PyObject *text)
{
    const char *words = text == nullptr ? nullptr : PyUnicode_AsUTF8(text);
    return words == nullptr ? "" : words;
}

} // namespace

void WatchScript(const std::string &path)
{
    vtkPythonScopeGilEnsurer gil;
    const vtkSmartPyObject result(Call("_engram_watch", "(s)", path.c_str()));
    if (PyErr_Occurred() != nullptr) {
        PyErr_Print();
    }
}

Findings FindFaults(int64_t step, double time)
{
    Findings findings;
    vtkPythonScopeGilEnsurer gil;
    const vtkSmartPyObject result(Call("_engram_find", "(Ld)", static_cast<long long>(step), time));
    if (result.GetPointer() == nullptr) {
        PyErr_Print();
        findings.file = "its extracts cannot be checked";
        return findings;
    }
    findings.file = Text(PyTuple_GetItem(result, 0));
    PyObject *missing = PyTuple_GetItem(result, 1);
    for (Py_ssize_t i = 0; i < PyList_Size(missing); i++) {
        findings.missing.push_back(Text(PyList_GetItem(missing, i)));
    }
    return findings;
}

} // namespace engram
