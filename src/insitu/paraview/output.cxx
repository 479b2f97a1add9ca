#include "output.h"

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
}

bool CapturedOutput::HasPythonError() const
{
    return Text.find("Traceback (most recent call last)") != std::string::npos;
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
