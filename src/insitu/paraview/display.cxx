#include "display.h"

#include <X11/Xlib.h>

namespace engram
{

ServerConnection::ServerConnection() : Connection(XOpenDisplay(nullptr))
{
}

ServerConnection::~ServerConnection()
{
    if (Connection != nullptr) {
        XCloseDisplay(static_cast<Display *>(Connection));
    }
}

} // namespace engram
