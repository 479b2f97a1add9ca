#include "grids.h"

#include <vtkCellData.h>
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkNew.h>
#include <vtkStringArray.h>

namespace engram
{

namespace
{

vtkSmartPointer<vtkDoubleArray> Borrow(const char *name, const double *values, int64_t count)
{
    constexpr int keep = 1; // VTK neither frees nor changes the memory
    auto array = vtkSmartPointer<vtkDoubleArray>::New();
    array->SetName(name);
    array->SetArray(const_cast<double *>(values), static_cast<vtkIdType>(count), keep);
    return array;
}

vtkSmartPointer<vtkDoubleArray> Copy(const char *name, const double *values, int64_t count)
{
    auto array = vtkSmartPointer<vtkDoubleArray>::New();
    array->SetName(name);
    array->SetNumberOfValues(static_cast<vtkIdType>(count));
    for (vtkIdType i = 0; i < count; i++) {
        array->SetValue(i, values[i]);
    }
    return array;
}

void AddFieldData(const EngramInsituScene &scene, bool hasDisplay, vtkFieldData *data)
{
    static const char *const names[ENGRAM_STEER_COUNT] = ENGRAM_STEERING_NAMES;
    const double display = hasDisplay ? 1.0 : 0.0;
    for (int i = 0; i < scene.numbers; i++) {
        const EngramInsituArray &number = scene.number[i];
        data->AddArray(Copy(number.name, number.values, number.count));
    }
    data->AddArray(Copy("display", &display, 1));
    data->AddArray(Borrow("steering", scene.steering, ENGRAM_STEER_COUNT));
    vtkNew<vtkStringArray> steeringNames;
    steeringNames->SetName("steering_names");
    for (const char *name : names) {
        steeringNames->InsertNextValue(name);
    }
    data->AddArray(steeringNames);
}

} // namespace

std::array<int, 6> WholeExtent(const EngramInsituChannel &channel)
{
    const int cellsInV = channel.dimensions > 1 ? static_cast<int>(channel.cells[1]) : 0;
    return {0, static_cast<int>(channel.cells[0]), 0, cellsInV, 0, 0};
}

vtkSmartPointer<vtkRectilinearGrid> MakeGrid(const EngramInsituScene &scene,
                                             const EngramInsituChannel &channel, bool hasDisplay)
{
    const double zero = 0.0;
    const std::array<int, 6> whole = WholeExtent(channel);
    const int first = static_cast<int>(channel.first);
    const int last = first + static_cast<int>(channel.local);
    auto grid = vtkSmartPointer<vtkRectilinearGrid>::New();
    grid->SetExtent(first, last, 0, whole[3], 0, 0);
    grid->SetXCoordinates(Copy("w", channel.w, channel.local + 1));
    grid->SetYCoordinates(Copy("v", channel.v, whole[3] + 1));
    grid->SetZCoordinates(Copy("z", &zero, 1));
    for (int i = 0; i < channel.fields; i++) {
        const EngramInsituArray &field = channel.field[i];
        grid->GetCellData()->AddArray(Borrow(field.name, field.values, field.count));
    }
    AddFieldData(scene, hasDisplay, grid->GetFieldData());
    /* The mark by which ParaView knows the channel again behind filters. */
    vtkNew<vtkStringArray> mark;
    mark->SetName("__CatalystChannel__");
    mark->InsertNextValue(channel.name);
    grid->GetFieldData()->AddArray(mark);
    return grid;
}

} // namespace engram
