// The in situ back end on ParaView's own interface, vtkCPProcessor with scripts of version 2.
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <mpi.h>

#include <vtkCPDataDescription.h>
#include <vtkCPInputDataDescription.h>
#include <vtkCPProcessor.h>
#include <vtkCPPythonPipeline.h>
#include <vtkLogger.h>
#include <vtkMPI.h>
#include <vtkMPICommunicator.h>
#include <vtkNew.h>
#include <vtkPythonInterpreter.h>
#include <vtkSmartPointer.h>

#include "checks.h"
#include "display.h"
#include "engram/insitu.h"
#include "faults.h"
#include "grids.h"
#include "output.h"
#include "python_text.h"

namespace
{

constexpr std::array<const char *, ENGRAM_INSITU_CHANNELS> channelNames = {"density", "weights"};

// A script that raised so often in a row is not asked again. One whose files fail is: disks are
// cleared.
constexpr int failuresToGiveUp = 3;

struct Script {
    std::string path;
    vtkSmartPointer<vtkCPPythonPipeline> pipeline;
    bool isWanted = false; // by the last request
    int failuresInARow = 0;
    std::array<bool, engram::FaultKinds> isTold = {};
};

struct State {
    vtkSmartPointer<vtkCPProcessor> processor;
    vtkSmartPointer<engram::CapturedOutput> output;
    vtkNew<vtkCPDataDescription> description;
    std::vector<Script> scripts;
    engram::ServerConnection server;
    bool hasDisplay = false;
    std::string message; // for scripts that would need one
    MPI_Comm comm = MPI_COMM_NULL;
    int rank = 0;
    int size = 0;
};

std::unique_ptr<State> state;

void WriteText(char *target, const std::string &text)
{
    (void)std::snprintf(target, ENGRAM_INSITU_TEXT, "%s", text.c_str());
}

// Without a server ParaView would end the whole program at the first picture.
void ProbeDisplay()
{
    int mine = state->server.IsOpen() ? 1 : 0;
    int all = 0;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_SUM, state->comm);
    state->hasDisplay = all == state->size;
    state->message = "engram: in situ: no X display on " + std::to_string(state->size - all) +
                     " of " + std::to_string(state->size) +
                     " ranks: where a script draws pictures it writes the data as VTK files "
                     "instead; xvfb-run -a -s '-screen 0 1280x1024x24 -noreset' gives one";
}

// What scripts find when they are loaded: where the viewer is, and what replaces pictures.
void PreparePython(const char *live)
{
    // ParaView's Python logs as much as VTK does when it is loaded. Later the same texts go to the
    // window, and only there.
    vtkLogger::SetStderrVerbosity(vtkLogger::VERBOSITY_WARNING);
    vtkPythonInterpreter::RunSimpleString("import paraview");
    vtkLogger::SetStderrVerbosity(vtkLogger::VERBOSITY_OFF);
    vtkPythonInterpreter::RunSimpleString(engram::pythonScripts);
    std::string channels;
    for (const char *name : channelNames) {
        channels += std::string("'") + name + "', ";
    }
    const std::string checks =
        std::string(engram::pythonChecks) + "\n_engram_begin_checks((" + channels + "))\n";
    vtkPythonInterpreter::RunSimpleString(checks.c_str());
    if (live != nullptr) {
        const std::string url = live;
        const std::string call =
            std::string(engram::pythonLive) + "\n_engram_enable_live('" + url + "')\n";
        vtkPythonInterpreter::RunSimpleString(call.c_str());
    }
    if (!state->hasDisplay) {
        const std::string call = std::string(engram::pythonNoDisplay) +
                                 "\n_engram_replace_views(\"" + state->message + "\")\n";
        vtkPythonInterpreter::RunSimpleString(call.c_str());
    }
}

int StartScripts(const EngramInsituSetup *setup, EngramInsituReport *report)
{
    for (int i = 0; i < setup->scripts; i++) {
        Script script;
        script.path = setup->script[i];
        script.pipeline = vtkCPPythonPipeline::CreateAndInitializePipeline(script.path.c_str(), 2);
        if (script.pipeline == nullptr) {
            report->failures++;
            WriteText(report->text, script.path + ": ParaView cannot make a pipeline of it" +
                                        state->output->Told());
            continue;
        }
        state->scripts.push_back(script);
    }
    return state->scripts.empty() ? 1 : 0;
}

int StartBackend(const EngramInsituSetup *setup, EngramInsituReport *report)
{
    state = std::make_unique<State>();
    state->comm = setup->comm;
    MPI_Comm_rank(setup->comm, &state->rank);
    MPI_Comm_size(setup->comm, &state->size);
    ProbeDisplay();
    state->output = vtkSmartPointer<engram::CapturedOutput>::New();
    vtkOutputWindow::SetInstance(state->output);
    vtkMPICommunicatorOpaqueComm opaque(&state->comm);
    state->processor = vtkSmartPointer<vtkCPProcessor>::New();
    if (state->processor->Initialize(opaque, nullptr) == 0) {
        report->failures++;
        WriteText(report->text, "ParaView cannot be initialised" + state->output->Told());
        return 1;
    }
    state->output->ListenToPython();
    PreparePython(setup->live);
    return StartScripts(setup, report);
}

void Describe(int64_t step, double time, int isLast)
{
    state->description->ResetInputDescriptions();
    for (const char *name : channelNames) {
        state->description->AddInput(name);
    }
    state->description->SetTimeData(time, static_cast<vtkIdType>(step));
    state->description->SetForceOutput(isLast != 0);
}

// Asks all scripts; one that has been given up is not.
int AskScripts(int64_t step, double time, int isLast)
{
    int answer = 0;
    Describe(step, time, isLast);
    for (Script &script : state->scripts) {
        script.isWanted = false;
        if (script.failuresInARow < failuresToGiveUp) {
            script.isWanted = script.pipeline->RequestDataDescription(state->description) != 0;
            answer = script.isWanted ? 1 : answer;
        }
    }
    return answer;
}

// Counts a failure. The first one of a kind of a script is told by the first rank that has it;
// where other scripts have taken the room, at the next time.
void NoteFailure(Script &script, int64_t step, const engram::Verdict &verdict,
                 EngramInsituReport *report)
{
    std::array<char, ENGRAM_INSITU_TEXT> text = {};
    report->failures++;
    if (script.isTold[verdict.kind]) {
        return;
    }
    if (verdict.rank == state->rank) {
        const std::string place = step < 0 ? " at its end" : " at step " + std::to_string(step);
        WriteText(text.data(), script.path + " failed" + place + verdict.text);
    }
    MPI_Bcast(text.data(), ENGRAM_INSITU_TEXT, MPI_CHAR, verdict.rank, state->comm);
    std::string all = report->text;
    all += (all.empty() ? "" : "; ") + std::string(text.data());
    if (report->text[0] != '\0' && all.size() >= ENGRAM_INSITU_TEXT) {
        return;
    }
    script.isTold[verdict.kind] = true;
    WriteText(report->text, all);
    if (verdict.rank == state->rank) {
        state->output->PrintAll();
    }
}

// What becomes of a script after a call: all ranks must go on alike.
void Judge(Script &script, int64_t step, const engram::Faults &faults, EngramInsituReport *report)
{
    const engram::Verdict verdict = engram::Agree(state->comm, faults);
    script.failuresInARow = verdict.kind == engram::ScriptRaised ? script.failuresInARow + 1 : 0;
    if (verdict.kind < engram::FaultKinds) {
        NoteFailure(script, step, verdict, report);
    } else if (state->rank == 0) {
        state->output->PrintNew();
    }
}

// Python's errors are written to std::cerr besides being kept.
class SilentErrors
{
  public:
    SilentErrors() : Kept(std::cerr.rdbuf(Sink.rdbuf()))
    {
    }
    ~SilentErrors()
    {
        std::cerr.rdbuf(Kept);
    }
    SilentErrors(const SilentErrors &) = delete;
    SilentErrors &operator=(const SilentErrors &) = delete;

  private:
    std::ostringstream Sink;
    std::streambuf *Kept;
};

// Makes all that VTK and Python say from here on come to the output, and only there. ParaView puts
// a window of its own in its place when its first proxies are made.
void Listen()
{
    vtkOutputWindow::SetInstance(state->output);
    state->output->Clear();
}

// What ParaView and Python have said of a call.
engram::Faults FaultsOfCall(bool isGood)
{
    engram::Faults faults;
    if (!isGood || state->output->HasPythonError()) {
        faults.text[engram::ScriptRaised] = state->output->Told();
    } else if (!state->output->PrintedError().empty()) {
        faults.text[engram::ErrorPrinted] = state->output->PrintedError();
    }
    return faults;
}

// What ParaView keeps to itself.
void AddFindings(const EngramInsituScene *scene, engram::Faults *faults)
{
    const engram::Findings findings = engram::FindFaults(scene->step, scene->time);
    if (!findings.file.empty()) {
        faults->text[engram::ExtractFailed] = ": " + findings.file + state->output->PrintedError();
    }
    for (const std::string &missing : findings.missing) {
        faults->missing.push_back(missing.empty() ? "" : ": " + missing);
    }
}

void RunScript(Script &script, const EngramInsituScene *scene, EngramInsituReport *report)
{
    engram::Faults faults;
    {
        const SilentErrors silent;
        Listen();
        engram::WatchScript(script.path);
        faults = FaultsOfCall(script.pipeline->CoProcess(state->description) != 0);
        if (!faults.text[engram::ScriptRaised]) {
            AddFindings(scene, &faults);
        }
    }
    Judge(script, scene->step, faults, report);
}

void EndScript(Script &script, EngramInsituReport *report)
{
    engram::Faults faults;
    {
        const SilentErrors silent;
        Listen();
        faults = FaultsOfCall(script.pipeline->Finalize() != 0);
    }
    Judge(script, -1, faults, report);
}

void ShowScene(const EngramInsituScene *scene, EngramInsituReport *report)
{
    Describe(scene->step, scene->time, scene->is_last);
    for (int i = 0; i < scene->channels; i++) {
        const EngramInsituChannel &channel = scene->channel[i];
        vtkCPInputDataDescription *input =
            state->description->GetInputDescriptionByName(channel.name);
        std::array<int, 6> whole = engram::WholeExtent(channel);
        input->AllFieldsOn();
        input->GenerateMeshOn();
        input->SetGrid(engram::MakeGrid(*scene, channel, state->hasDisplay));
        input->SetWholeExtent(whole.data());
    }
    for (Script &script : state->scripts) {
        if (script.isWanted) {
            RunScript(script, scene, report);
        }
    }
    state->description->ResetAll();
}

void StopBackend(EngramInsituReport *report)
{
    for (Script &script : state->scripts) {
        if (script.failuresInARow == 0) {
            EndScript(script, report);
        }
    }
    state->scripts.clear();
    state->processor->Finalize();
    state->processor = nullptr;
    vtkOutputWindow::SetInstance(nullptr);
    state.reset();
}

// Nothing may be thrown into the C of the caller.
template <typename Function> int Guard(EngramInsituReport *report, Function function)
{
    std::string what = "an unknown exception";
    try {
        return function();
    } catch (const std::exception &exception) {
        what = exception.what();
    } catch (...) {
    }
    if (report != nullptr) {
        report->failures++;
        WriteText(report->text, "ParaView has thrown " + what);
    }
    return 1;
}

int Start(const EngramInsituSetup *setup, EngramInsituReport *report)
{
    return Guard(report, [&] { return StartBackend(setup, report); });
}

int Wants(int64_t step, double time, int isLast)
{
    return Guard(nullptr, [&] { return AskScripts(step, time, isLast); });
}

void Show(const EngramInsituScene *scene, EngramInsituReport *report)
{
    (void)Guard(report, [&] {
        ShowScene(scene, report);
        return 0;
    });
}

void Stop(EngramInsituReport *report)
{
    (void)Guard(report, [&] {
        StopBackend(report);
        return 0;
    });
}

const EngramInsituBackend backend = {ENGRAM_INSITU_VERSION, "paraview", Start, Wants, Show, Stop};

} // namespace

const EngramInsituBackend *EngramInsituGetBackend(void)
{
    return &backend;
}
