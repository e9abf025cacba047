#include "martlet_malloc.h"
