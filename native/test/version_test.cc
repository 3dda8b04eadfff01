#include "sfumato_engine.h"

#include <gtest/gtest.h>

TEST(VersionTest, LibraryAndHeaderAgree) { EXPECT_EQ(sfumato_abi_version(), 1); }
