// The X server, apart from ParaView: the macros of X do not go together with VTK.
#ifndef ENGRAM_INSITU_PARAVIEW_DISPLAY_H
#define ENGRAM_INSITU_PARAVIEW_DISPLAY_H

namespace engram
{

// A connection to the server of DISPLAY, or none. It stays open: a server may end with its last
// client.
class ServerConnection
{
  public:
    ServerConnection();
    ~ServerConnection();
    ServerConnection(const ServerConnection &) = delete;
    ServerConnection &operator=(const ServerConnection &) = delete;

    bool IsOpen() const
    {
        return Connection != nullptr;
    }

  private:
    void *Connection;
};

} // namespace engram

#endif
