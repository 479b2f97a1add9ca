#include "engram/app/program.h"

int main(int argc, char **argv)
{
    return EngramProgram(argc, argv);
}
