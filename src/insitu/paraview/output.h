// What VTK and Python write to the screen, kept back: a script that fails at every step would fill
// the log of a job.
#ifndef ENGRAM_INSITU_PARAVIEW_OUTPUT_H
#define ENGRAM_INSITU_PARAVIEW_OUTPUT_H

#include <string>

#include <vtkOutputWindow.h>
#include <vtkPythonInterpreter.h>
#include <vtkSmartPointer.h>

namespace engram
{

class CapturedOutput : public vtkOutputWindow
{
  public:
    static CapturedOutput *New();
    vtkTypeMacro(CapturedOutput, vtkOutputWindow);

    void DisplayText(const char *text) override;
    void DisplayErrorText(const char *text) override;
    void DisplayWarningText(const char *text) override;
    void DisplayGenericWarningText(const char *text) override;
    void DisplayDebugText(const char *text) override;

    // Takes what Python writes to its stderr, too, once Python may be used.
    void ListenToPython();

    // Forgets what was kept.
    void Clear();

    // Whether a traceback of Python is among it.
    bool HasPythonError() const;

    // The first error of VTK among it, in one line after ": "; empty if there is none. Those of the
    // line to a viewer are none: it may be cut at any time.
    std::string PrintedError() const;

    // The last line, the one that says what is wrong, after ": "; empty if there is none.
    std::string Told() const;

    // Prints all that is kept to stderr.
    void PrintAll();

    // The same, until a few texts were printed in this run.
    void PrintNew();

  protected:
    CapturedOutput() = default;
    ~CapturedOutput() override = default;

  private:
    void TakePythonError(vtkObject *caller, unsigned long event, void *text);

    vtkSmartPointer<vtkPythonInterpreter> Interpreter;
    std::string Text;
    std::string Error;
    int Printed = 0;
};

} // namespace engram

#endif
