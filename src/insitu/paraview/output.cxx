#include "output.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include <vtkCommand.h>
#include <vtkObjectFactory.h>

namespace engram
{

vtkStandardNewMacro(CapturedOutput);

// More than this no one reads.
static constexpr size_t longestText = 65536;
static constexpr int mostTexts = 5;

// It comes with the first state of every run and has no meaning there.
static const char *const idleWarning = "New time step is not after last time step";

// Classes that speak to a viewer.
static const std::array<const char *, 3> viewerClasses = {"Socket", "NetworkAccess", "LiveInsitu"};

// Whether an error is of the line to a viewer.
static bool IsOfViewer(const char *text)
{
    return std::any_of(viewerClasses.begin(), viewerClasses.end(),
                       [text](const char *name) { return std::strstr(text, name) != nullptr; });
}

void CapturedOutput::ListenToPython()
{
    Interpreter = vtkSmartPointer<vtkPythonInterpreter>::New();
    Interpreter->AddObserver(vtkCommand::ErrorEvent, this, &CapturedOutput::TakePythonError);
}

void CapturedOutput::TakePythonError(vtkObject *, unsigned long, void *text)
{
    DisplayText(static_cast<const char *>(text));
}

void CapturedOutput::DisplayText(const char *text)
{
    if (text != nullptr && Text.size() < longestText && std::strstr(text, idleWarning) == nullptr) {
        Text += text;
    }
}

void CapturedOutput::DisplayErrorText(const char *text)
{
    /* What else comes here is Python's, which has been heard already. */
    if (text == nullptr || std::strncmp(text, "ERROR: ", 7) != 0) {
        return;
    }
    if (Error.empty() && !IsOfViewer(text)) {
        Error = text;
    }
    DisplayText(text);
}

void CapturedOutput::DisplayWarningText(const char *text)
{
    DisplayText(text);
}

void CapturedOutput::DisplayGenericWarningText(const char *text)
{
    DisplayText(text);
}

void CapturedOutput::DisplayDebugText(const char *text)
{
    DisplayText(text);
}

void CapturedOutput::Clear()
{
    Text.clear();
    Error.clear();
}

bool CapturedOutput::HasPythonError() const
{
    return Text.find("Traceback (most recent call last)") != std::string::npos;
}

std::string CapturedOutput::PrintedError() const
{
    if (Error.empty()) {
        return "";
    }
    /* Where in VTK it is stands in a line of its own, and addresses of objects behind their names.
     */
    const size_t first = Error.find('\n') + 1;
    std::string line = Error.substr(first, Error.find('\n', first) - first);
    for (size_t at = line.find(" (0x"); at != std::string::npos; at = line.find(" (0x")) {
        line.erase(at, line.find(')', at) + 1 - at);
    }
    return ": " + line;
}

std::string CapturedOutput::Told() const
{
    const size_t last = Text.find_last_not_of(" \n\r\t");
    if (last == std::string::npos) {
        return "";
    }
    const size_t before = Text.find_last_of('\n', last);
    const size_t first = before == std::string::npos ? 0 : before + 1;
    return ": " + Text.substr(first, last + 1 - first);
}

void CapturedOutput::PrintAll()
{
    if (!Text.empty()) {
        (void)std::fprintf(stderr, "%s\n", Text.c_str());
        (void)std::fflush(stderr);
    }
}

void CapturedOutput::PrintNew()
{
    if (!Text.empty() && Printed < mostTexts) {
        Printed++;
        PrintAll();
    }
}

} // namespace engram
