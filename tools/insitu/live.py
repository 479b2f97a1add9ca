"""In situ: Catalyst Live, to look at a running job from ParaView, to pause it and to let it go on.

    engram case.yaml -insitu_scripts live.py -insitu_every 10

1. In ParaView: Catalyst > Connect..., port 22222, OK: it waits for the run.
2. Start the run, or have it running: at each step that is shown it looks for ParaView.
3. In the pipeline browser, below "catalyst", click the icon at "density" and at "weights".
4. Catalyst > Pause Simulation, look at things, Catalyst > Continue.

Nobody needs to be there: a run without a viewer goes on, and one whose viewer leaves too. Through
the firewall of a cluster goes an ssh tunnel: docs/insitu.md. Environment variables (defaults in
brackets):

    ENGRAM_INSITU_LIVE   HOST:PORT where ParaView waits, seen from the first rank
                         [-insitu_live, or localhost:22222]
    ENGRAM_INSITU_STEPS  looks at the multiples of so many steps, of those that are shown [1]
"""

import os

from paraview import catalyst
from paraview.simple import *  # noqa: F403

ADDRESS = os.environ.get("ENGRAM_INSITU_LIVE", "localhost:22222")
STEPS = int(os.environ.get("ENGRAM_INSITU_STEPS", "1"))

options = catalyst.Options()
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = STEPS
options.EnableCatalystLive = 1
options.CatalystLiveURL = ADDRESS
options.CatalystLiveTrigger = "TimeStep"
options.CatalystLiveTrigger.Frequency = STEPS

# Live cannot join the rectilinear grids of several ranks, but their surfaces: the same cells and
# values. The names are those that the viewer sees.
parts_of_density = TrivialProducer(registrationName="density")
parts_of_weights = TrivialProducer(registrationName="weights")
density = ExtractSurface(registrationName="density_surface", Input=parts_of_density)
weights = CellCenters(registrationName="weights_points", Input=parts_of_weights, VertexCells=1)


def catalyst_execute(info):
    """Called at each step that is shown: what the viewer has asked for is brought up to date."""
    density.UpdatePipeline(info.time)
    weights.UpdatePipeline(info.time)
