import { useQuery } from "@tanstack/react-query";
import type { Project } from "../api/contract";
import { projectsQuery } from "../api/queries";

/** The project of a page, by its id or name as it stands in the address. */
export function useProject(id: string): Project | undefined {
  const { data } = useQuery(projectsQuery);
  return data?.find((project) => project.id === id || project.name === id);
}
