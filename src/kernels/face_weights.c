#include "face_weights.h"

void EngramFaceWeights(const EngramFaceTable *table, int face, ptrdiff_t slices,
                       const double *drift, double *up, double *down)
{
    const double unit = table->spacing / table->noise;
    for (ptrdiff_t i = 0; i < slices; i++) {
        const Vector scaled = VectorOf(drift[i] * unit);
        const FaceWeights weights = AnyWeights(table, face, scaled, IsOutside(table, scaled));
        up[i] = 12.0 * weights.up[0];
        down[i] = 12.0 * weights.down[0];
    }
}
